import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { LOCAL_USER, type Principal, type Scope } from '../../src/auth/principal.ts';
import type { Database } from '../../src/database/database.ts';
import { newId } from '../../src/database/ids.ts';
import { createSecretBox } from '../../src/database/secret-box.ts';
import { createMemoryEvents, type Events } from '../../src/events/events.ts';
import type { AgentInput } from '../../src/registry/input/schemas.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { createTasks, type Tasks, type TasksOptions } from '../../src/tasks/tasks.ts';
import { createEgress, LOOPBACK_ENTRIES } from '../../src/upstream/egress.ts';
import type { AgentExecutor } from '../../src/upstream/executor.ts';
import { createExecutors } from '../../src/upstream/executors.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { DRIVERS, type DriverKind, openTestDatabase, type TestDatabase } from '../support/database.ts';

/** Runs after the test, last registered first. */
export const onCleanup = afterTheTest();

/** The databases that every suite here runs on. */
export const DATABASES: readonly { readonly name: string; readonly open: () => Promise<Database> }[] = DRIVERS.map(
  (kind) => ({ name: kind === 'pglite' ? 'PGlite' : 'PostgreSQL', open: () => once(kind) }),
);

/** How long a database may take to start on a busy machine: the embedded one is compiled first. Milliseconds. */
export const STARTING_MS = 240_000;

/** One database per test file: rows of other tests belong to other owners and agents. */
const opened = new Map<DriverKind, Promise<TestDatabase>>();
const once = (kind: DriverKind): Promise<Database> => {
  const present = opened.get(kind) ?? openTestDatabase(kind);
  opened.set(kind, present);
  return present;
};
afterAll(async () => {
  for (const database of opened.values()) await (await database).close();
  opened.clear();
});

/** A caller of their own, with these scopes. */
export const someone = (
  scopes: readonly Scope[] = ['registry:read', 'registry:write', 'tasks:send', 'tasks:read'],
): Principal => ({ subject: randomUUID(), anonymous: false, scopes: new Set(scopes) });

export interface Stack {
  readonly database: Database;
  readonly events: Events;
  readonly registry: Registry;
  readonly tasks: Tasks;
  readonly me: Principal;
  readonly replicaId: string;
  /** Registers an agent and answers its id. */
  agent(input: Partial<AgentInput> & Pick<AgentInput, 'executionType'>): Promise<string>;
  /** The bundled echo agent. */
  echo(): Promise<string>;
  /** Another replica on the same database, with events of its own unless they are shared. */
  replica(options?: StackOptions & { readonly sharedEvents?: boolean }): Promise<Stack>;
}

/** Who signs what the engines of these tests push. */
export const ISSUER = 'https://rollcall.test/';
/** Pushes that fail are tried again soon. Lease and answer may take their time: a busy machine is no failure. */
const PUSH_TIMINGS = { leaseMs: 6_000, timeoutMs: 60_000, retries: { firstMs: 20, longestMs: 40 } };

export interface StackOptions extends Partial<Omit<TasksOptions, 'push'>> {
  readonly push?: Partial<TasksOptions['push']>;
  readonly more?: Readonly<Record<string, AgentExecutor>>;
}

/** The task engine on a real database, with real executors. */
export async function stack(open: () => Promise<Database>, options: StackOptions = {}): Promise<Stack> {
  const database = options.database ?? (await open());
  const events = options.events ?? createMemoryEvents();
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const egress = createEgress({ allow: LOOPBACK_ENTRIES });
  const secrets = createSecretBox('a secret for the tests');
  const registry = createRegistry({
    database,
    events,
    egress,
    log,
    secrets,
  });
  const executors = createExecutors({
    egress,
    timing: { first: 5, longest: 40, patience: 2_000 },
    ...(options.more === undefined ? {} : { more: options.more }),
  });
  const replicaId = newId();
  const push = { egress, secrets, issuer: () => ISSUER, ...PUSH_TIMINGS, ...options.push };
  const tasks = createTasks({ drainMs: 50, ...options, push, database, events, registry, executors, log, replicaId });
  onCleanup(async () => {
    await tasks.close();
    await registry.close();
    await egress.close();
    if (options.events === undefined) await events.close();
  });
  const me = someone();
  const agent = async (input: Partial<AgentInput> & Pick<AgentInput, 'executionType'>) =>
    (await registry.registerAgent(me, { name: 'Test agent', ...input })).id;
  return {
    database,
    events,
    registry,
    tasks,
    me,
    replicaId,
    agent,
    echo: () => agent({ executionType: 'echo', streaming: true }),
    replica: ({ sharedEvents, ...more } = {}) =>
      stack(open, {
        ...(options.more === undefined ? {} : { more: options.more }),
        ...more,
        database,
        ...(sharedEvents ? { events } : {}),
      }),
  };
}

export { LOCAL_USER };

/** A request with one text part. */
export const say = (text: string, more: { contextId?: string; taskId?: string; messageId?: string } = {}) => ({
  message: { messageId: randomUUID(), role: 'user' as const, parts: [{ text }], ...more },
});

/** Everything that comes, until it ends. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
