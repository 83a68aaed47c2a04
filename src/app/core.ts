import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { newId } from '../database/ids.ts';
import { createSecretBox, keyInDataDirectory } from '../database/secret-box.ts';
import { createMemoryEvents } from '../events/events.ts';
import { createCards } from '../registry/cards/cards.ts';
import type { CardGateway } from '../registry/cards/derive-card.ts';
import type { CardSigner } from '../registry/cards/trust/signer.ts';
import { createRegistry } from '../registry/registry.ts';
import { createTasks } from '../tasks/tasks.ts';
import { createEgress, LOOPBACK_ENTRIES } from '../upstream/egress.ts';
import { createExecutors } from '../upstream/executors.ts';
import { configuredTaskLimits } from './gate.ts';

/** Work in progress gets this long once nobody waits for it any more; what is left is taken over after the next start. */
const TASKS_DRAIN_MS = 1_000;
const DAY_MS = 86_400_000;

/** A secret box lives as long as its data: one for a database in memory needs no key that anyone could find again. */
const secretOf = ({ SECRET_KEY, DATABASE_URL, DATA_DIR }: Config): string =>
  SECRET_KEY ?? (DATABASE_URL?.startsWith('memory:') ? newId() + newId() : keyInDataDirectory(DATA_DIR));

/** The registry on an open database, without tasks: what the CLI works with, as an engine would take over their work. */
export function createRegistryCore(
  config: Config,
  database: Database,
  log: Logger,
  gateway: () => CardGateway,
  signer?: CardSigner,
) {
  const events = createMemoryEvents();
  const secrets = createSecretBox(secretOf(config));
  const egress = createEgress({ allow: config.EGRESS_ALLOW ?? (config.AUTH_MODE === 'none' ? LOOPBACK_ENTRIES : []) });
  const context = { database, events, secrets, egress, log };
  const registry = createRegistry(context);
  return {
    registry,
    cards: createCards(context, registry, gateway, { signatures: config.CARD_SIGNATURES, signer }),
    events,
    egress,
    secrets,
  };
}

/** The core on an open, migrated database, and what closes it, in order. */
export function createCore(
  config: Config,
  database: Database,
  log: Logger,
  gateway: () => CardGateway,
  signer?: CardSigner,
) {
  const { registry, cards, events, egress, secrets } = createRegistryCore(config, database, log, gateway, signer);
  const executors = createExecutors({ egress });
  const tasks = createTasks({
    database,
    events,
    registry,
    executors,
    push: { egress, secrets, issuer: () => gateway().publicUrl },
    log,
    replicaId: newId(),
    leaseMs: config.TASK_LEASE_MS,
    logRetentionMs: config.TASK_LOG_RETENTION_DAYS * DAY_MS,
    auditRetentionMs: config.AUDIT_RETENTION_DAYS * DAY_MS,
    limits: configuredTaskLimits(config),
    silenceMs: config.FLYTE_SILENCE_MS,
    alone: database.exclusive,
    drainMs: TASKS_DRAIN_MS,
  });
  const stops = [() => tasks.close(), () => registry.close(), () => egress.close(), () => events.close()];
  return { core: { registry, cards, tasks, events }, egress, stops };
}
