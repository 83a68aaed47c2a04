import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { type Principal, SCOPES, type Scope } from '../../src/auth/principal.ts';
import type { Database } from '../../src/database/database.ts';
import { createSecretBox } from '../../src/database/secret-box.ts';
import { type AgentEvent, createMemoryEvents } from '../../src/events/events.ts';
import type { RegistryContext } from '../../src/registry/context.ts';
import type { AgentInput } from '../../src/registry/input/schemas.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { createEgress, LOOPBACK_ENTRIES } from '../../src/upstream/egress.ts';
import { type DriverKind, openTestDatabase } from './database.ts';

/** A caller of their own, with these scopes: read and write of the registry, unless others are named. */
export const someone = (...scopes: readonly Scope[]): Principal => ({
  subject: randomUUID(),
  anonymous: false,
  scopes: new Set(scopes.length === 0 ? ['registry:read', 'registry:write'] : scopes),
});

/** A caller with every scope. */
export const anAdmin = (): Principal => someone(...SCOPES);

/** A registry on a database of a test, and what stands below it. */
export interface TestRegistry {
  readonly database: Database;
  readonly registry: Registry;
  readonly context: RegistryContext;
  /** What has been published about agents, oldest first. */
  readonly published: AgentEvent[];
  /** The fewest words that register an agent. */
  agent(principal: Principal, more?: Partial<AgentInput>): ReturnType<Registry['registerAgent']>;
  close(): Promise<void>;
}

/** Builds a registry on a database; `close` leaves the database open. */
export function registryOn(database: Database): TestRegistry {
  const events = createMemoryEvents();
  const egress = createEgress({ allow: LOOPBACK_ENTRIES });
  const context: RegistryContext = {
    database,
    events,
    egress,
    secrets: createSecretBox('a secret key of the tests'),
    log: pino({ level: 'silent' }),
  };
  const registry = createRegistry(context);
  const published: AgentEvent[] = [];
  events.on('agent', (event) => published.push(event));
  return {
    database,
    registry,
    context,
    published,
    agent: (principal, more = {}) =>
      registry.registerAgent(principal, { name: 'Reader', executionType: 'api', ...more } as AgentInput),
    async close() {
      await registry.close();
      await events.close();
      await egress.close();
    },
  };
}

/** A registry that all tests of a suite share. Its callers are their own: see {@link someone}. */
export function sharedRegistry(kind: DriverKind): () => TestRegistry {
  let shared: TestRegistry | undefined;
  let database: Awaited<ReturnType<typeof openTestDatabase>> | undefined;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
    shared = registryOn(database);
  });
  afterAll(async () => {
    await shared?.close();
    await database?.close();
  });
  return () => shared!;
}

/** The error that a promise ends with; fails when it does not end with one. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('this was expected to fail, and did not');
}
