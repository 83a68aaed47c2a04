import type { Logger } from 'pino';
import type { Principal } from '../../auth/principal.ts';
import { createSigningKeys, type SigningKeys } from '../../auth/signing-keys.ts';
import type { Database } from '../../database/database.ts';
import type { Query } from '../../database/drivers.ts';
import type { SecretBox } from '../../database/secret-box.ts';
import { RollcallError } from '../../errors.ts';
import type { DialectName } from '../../protocol/a2a/dialects/index.ts';
import type { PushConfig } from '../../protocol/a2a/model.ts';
import { writeAudit } from '../../registry/audit/write.ts';
import { requireScope } from '../../registry/visibility.ts';
import type { Egress } from '../../upstream/egress.ts';
import { visibleTask } from '../access.ts';
import { tasksById } from '../list.ts';
import { pushDeleted, pushRegistered } from './audit.ts';
import type { ObservedAttempt } from './drain.ts';
import type { PushDelivery, StoredPushConfig } from './model.ts';
import { Pusher } from './pusher.ts';
import { type Registration, register, seal } from './registration.ts';
import { RETRIES, type RetryPolicy } from './retries.ts';
import { backlogOf, configsOf, deleteConfig, deliveriesOf, findConfig, hasConfigs, saveConfig } from './store.ts';

/** What push notifications stand on. Times in milliseconds. */
export interface PushOptions {
  readonly egress: Egress;
  readonly secrets: SecretBox;
  /** Who signs: the public URL of this server; empty while it is not known. */
  readonly issuer: () => string;
  /** One attempt, 15,000 unless said. */
  readonly timeoutMs?: number;
  readonly retries?: Partial<RetryPolicy>;
  /** How long a webhook stays a replica's without renewal, 10,000 unless said. */
  readonly leaseMs?: number;
  /** Webhooks that are delivered to at the same time, 64 unless said. */
  readonly slots?: number;
}

/** What of the engine push notifications need. */
export interface PushContext {
  readonly database: Database;
  readonly replicaId: string;
  readonly alone: boolean;
  readonly automatic: boolean;
  /** Webhooks that still deliver, of one owner; 0: as many as they like. */
  readonly mostConfigs: number;
  readonly log: Logger;
}

const TIMEOUT_MS = 15_000;
const LEASE_MS = 10_000;
const SLOTS = 64;
const TURN = 100;
/** Seconds after which a caller with too many webhooks may look whether tasks have ended. */
const ROOM_RETRY_SECONDS = 60;

/** Webhooks of tasks: what their owners do with them. Every call takes the principal first. */
export type Push = ReturnType<typeof createPush>;

const noConfig = (taskId: string, name: string | undefined): RollcallError =>
  new RollcallError(
    'TASK_NOT_FOUND',
    name === undefined
      ? `Task ${taskId} has no push notification config.`
      : `Task ${taskId} has no push notification config ${JSON.stringify(name.slice(0, 255))}.`,
  );

export function createPush(options: PushOptions, context: PushContext) {
  const { egress, secrets, issuer } = options;
  const { database, replicaId, alone, automatic, mostConfigs, log } = context;
  const { query } = database;
  const keys: SigningKeys = createSigningKeys(query, secrets, 'push');
  const pusher = new Pusher({
    query,
    secrets,
    webhook: { egress, keys, issuer, timeoutMs: options.timeoutMs ?? TIMEOUT_MS },
    retries: { ...RETRIES, ...options.retries },
    turn: TURN,
    lease: { replicaId, ms: options.leaseMs ?? LEASE_MS },
    slots: options.slots ?? SLOTS,
    ready: () => issuer() !== '',
    alone,
    automatic,
    log,
  });

  /** Sends at the same moment may get past it by as many: it bounds, and does not count. @throws RollcallError RATE_LIMITED. */
  async function requireRoom(owner: string): Promise<void> {
    if (mostConfigs === 0 || !(await hasConfigs(query, owner, mostConfigs))) return;
    throw new RollcallError(
      'RATE_LIMITED',
      `You have ${mostConfigs} push notification configs at work, the most there may be (MAX_PUSH_CONFIGS_PER_CALLER); delete some, or wait until tasks end.`,
      { details: { limit: 'push configs', maximum: mostConfigs, retryAfterSeconds: ROOM_RETRY_SECONDS } },
    );
  }

  const save = async (principal: Principal, tx: Query, registration: Registration, taskId: string) => {
    const stored = await saveConfig(tx, seal(secrets, registration, taskId));
    await writeAudit(tx, principal, pushRegistered(taskId, stored));
    return stored;
  };

  return {
    /**
     * Registers a webhook of a task; one of the same id is replaced. It gets what happens from now on.
     *
     * @param taskId our id of the task
     * @throws RollcallError TASK_NOT_FOUND, INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE (no such host),
     *   FAILED_PRECONDITION (too many), RATE_LIMITED, UNAUTHENTICATED, FORBIDDEN (scope tasks:send).
     */
    async create(
      principal: Principal,
      taskId: string,
      config: PushConfig,
      dialect: DialectName = '1.0',
    ): Promise<StoredPushConfig> {
      requireScope(principal, 'tasks:send');
      const { id, owner } = await visibleTask(query, principal, taskId);
      await requireRoom(owner);
      const registration = await register(egress, config, dialect);
      return database.transaction((tx) => save(principal, tx.query, registration, id));
    },

    /**
     * One webhook of a task: that of the name, else the oldest.
     *
     * @throws RollcallError TASK_NOT_FOUND (the webhook too), UNAUTHENTICATED, FORBIDDEN (scope tasks:read).
     */
    async get(principal: Principal, taskId: string, name?: string): Promise<StoredPushConfig> {
      requireScope(principal, 'tasks:read');
      const { id } = await visibleTask(query, principal, taskId);
      const config = name?.includes('\u0000') ? undefined : await findConfig(query, id, name);
      if (config === undefined) throw noConfig(taskId, name);
      return config;
    },

    /** The webhooks of a task, oldest first. @throws as {@link get}. */
    async list(principal: Principal, taskId: string): Promise<readonly StoredPushConfig[]> {
      requireScope(principal, 'tasks:read');
      const { id } = await visibleTask(query, principal, taskId);
      return (await configsOf(query, [id])).get(id) ?? [];
    },

    /** Deletes a webhook with its delivery log; nothing more is sent to it. Deleting what is not there is no failure. @throws as {@link create}. */
    async delete(principal: Principal, taskId: string, name: string): Promise<void> {
      requireScope(principal, 'tasks:send');
      const { id } = await visibleTask(query, principal, taskId);
      if (name.includes('\u0000')) return;
      await database.transaction(async (tx) => {
        const gone = await deleteConfig(tx.query, id, name);
        if (gone !== undefined) await writeAudit(tx.query, principal, pushDeleted(id, gone));
      });
    },

    /** The webhooks of each of these tasks that the caller may see, in their order. Two statements, however many tasks. */
    async ofTasks(principal: Principal, taskIds: readonly string[]): Promise<StoredPushConfig[][]> {
      requireScope(principal, 'tasks:read');
      const rows = await tasksById(query, principal, taskIds);
      const found = await configsOf(
        query,
        rows.filter((row) => row !== undefined).map((row) => row.id),
      );
      return rows.map((row) => (row && found.get(row.id)) ?? []);
    },

    /** The newest attempts of each of these webhooks, newest first, for who got the webhooks from {@link ofTasks}. One statement. */
    async deliveriesOf(configs: readonly StoredPushConfig[], last: number): Promise<PushDelivery[][]> {
      const found = await deliveriesOf(
        query,
        configs.map(({ id }) => id),
        last,
      );
      return configs.map(({ id }) => found.get(id) ?? []);
    },

    /** Calls `observer` with every attempt to deliver. */
    observe: (observer: (attempt: ObservedAttempt) => void): void => pusher.observe(observer),

    /** Notifications that wait to be delivered, to all webhooks together. */
    backlog: (): Promise<number> => backlogOf(query),

    /** The keys that verify signatures, as JSON Web Keys. */
    publicKeys: () => keys.publicKeys(),

    /** For the engine: checks a webhook that comes with a message, before anything is stored. @throws as {@link create}. */
    async register(
      principal: Principal,
      config: PushConfig,
      dialect: DialectName,
      repeats: string,
    ): Promise<Registration> {
      await requireRoom(principal.subject);
      return register(egress, config, dialect, repeats);
    },

    /** For the engine: the form in which a new task is stored with its webhook. */
    seal: (registration: Registration, taskId: string) => seal(secrets, registration, taskId),

    /** For the engine: stores a webhook in the caller's transaction. */
    save,

    /** For the engine: the log of a task with webhooks grew. */
    wake: (): void => pusher.wake(),

    close: (graceMs: number): Promise<void> => pusher.close(graceMs),
  };
}
