import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach } from 'vitest';
import { LOCAL_USER, type Principal, type Scope } from '../../src/auth/principal.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { newId } from '../../src/database/ids.ts';
import { createSecretBox } from '../../src/database/secret-box.ts';
import { createMemoryEvents, type Events } from '../../src/events/events.ts';
import type { AgentInput } from '../../src/registry/input/schemas.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { createTasks, type Tasks, type TasksOptions } from '../../src/tasks/tasks.ts';
import { createEgress, LOOPBACK_ENTRIES } from '../../src/upstream/egress.ts';
import type { AgentExecutor } from '../../src/upstream/executor.ts';
import { createExecutors } from '../../src/upstream/executors.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
/** Runs after the test, last registered first. */
export const onCleanup = (cleanup: () => Promise<unknown>): void => void cleanups.push(cleanup);

const adminUrl = process.env['ROLLCALL_TEST_POSTGRES'];

/** The databases that every suite here runs on. */
export const DATABASES: readonly { readonly name: string; readonly open: () => Promise<Database> }[] = [
  { name: 'PGlite', open: () => once('memory', openEmbedded) },
  ...(adminUrl === undefined ? [] : [{ name: 'PostgreSQL', open: () => once('postgres', () => openServer(adminUrl)) }]),
];

/** How long a database may take to start on a busy machine: the embedded one is compiled first. Milliseconds. */
export const STARTING_MS = 120_000;

/** One database per test file: rows of other tests belong to other owners and agents. */
const opened = new Map<string, Promise<Database>>();
const closers: (() => Promise<void>)[] = [];
const once = (name: string, open: () => Promise<Database>): Promise<Database> => {
  const present = opened.get(name) ?? open();
  opened.set(name, present);
  return present;
};
afterAll(async () => {
  for (const close of closers.splice(0)) await close();
  opened.clear();
});

async function openEmbedded(): Promise<Database> {
  const database = await openDatabase({ databaseUrl: 'memory://', dataDir: '' });
  await database.migrate();
  closers.push(() => database.close());
  return database;
}

async function openServer(url: string): Promise<Database> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const name = `rollcall_tasks_${randomUUID().replaceAll('-', '')}`;
  await admin.query(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const database = await openDatabase({ databaseUrl: own.href, dataDir: '' });
  await database.migrate();
  closers.push(async () => {
    await database.close();
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  });
  return database;
}

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
  replica(options?: Partial<TasksOptions> & { readonly sharedEvents?: boolean }): Promise<Stack>;
}

export interface StackOptions extends Partial<TasksOptions> {
  readonly more?: Readonly<Record<string, AgentExecutor>>;
}

/** The task engine on a real database, with real executors. */
export async function stack(open: () => Promise<Database>, options: StackOptions = {}): Promise<Stack> {
  const database = options.database ?? (await open());
  const events = options.events ?? createMemoryEvents();
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const egress = createEgress({ allow: LOOPBACK_ENTRIES });
  const registry = createRegistry({
    database,
    events,
    egress,
    log,
    secrets: createSecretBox('a secret for the tests'),
  });
  const executors = createExecutors({
    egress,
    timing: { first: 5, longest: 40, patience: 2_000 },
    ...(options.more === undefined ? {} : { more: options.more }),
  });
  const replicaId = newId();
  const tasks = createTasks({ drainMs: 50, ...options, database, events, registry, executors, log, replicaId });
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
