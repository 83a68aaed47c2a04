import type { MikroORM, Options } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery } from 'kysely';
import { MIGRATIONS } from '../../migrations/index.ts';
import type { DataDirectoryLock } from './data-directory-lock.ts';
import { chooseDriver, type DatabaseOptions, type Driver, type Query } from './drivers.ts';
import { ENTITIES } from './entities/index.ts';

export type { DatabaseOptions } from './drivers.ts';

/** An open transaction: the ORM's entity manager and plain SQL on the same connection. */
export interface Transaction {
  readonly em: SqlEntityManager;
  readonly query: Query;
}

/** The one way to the data. Reads go through `query`; changes of registry rows through `transaction`. */
export interface Database {
  readonly kind: Driver['kind'];
  readonly describe: string;
  /** No other process can have it open at the same time: what another one left unfinished is nobody's. */
  readonly exclusive: boolean;
  readonly orm: MikroORM;
  /** One statement of its own, outside any transaction. Never await it inside one: PGlite has a single connection and waits for ever. */
  readonly query: Query;
  /** Runs `work` in one transaction, with a fresh entity manager that is flushed before the commit. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Runs what migrations are missing, under a lock, and answers their names. */
  migrate(): Promise<string[]>;
  /** Names of the migrations that have not run yet. */
  pendingMigrations(): Promise<string[]>;
  close(): Promise<void>;
}

/** One for all versions: replicas that start together take turns at migrating. */
const MIGRATION_LOCK = 7_246_533_180;

/**
 * Opens the database: connects, and holds the data directory where it is embedded. It does not migrate.
 *
 * @throws RollcallError FAILED_PRECONDITION when another process holds the data directory; the driver's own error when
 *   the server cannot be reached.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const driver = chooseDriver(options);
  const lock = driver.lock();
  try {
    return await connect(driver, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function connect(driver: Driver, lock: DataDirectoryLock | undefined): Promise<Database> {
  const orm = await driver.init({
    entities: ENTITIES as unknown as NonNullable<Options['entities']>,
    extensions: [Migrator],
    migrations: { migrationsList: MIGRATIONS as never, snapshot: false, silent: true, tableName: 'migration' },
    // They are the migrations' alone: entities have no words for them.
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    // The ORM would log every failed statement with its parameters; callers log failures themselves, without data.
    logger: () => undefined,
  });
  const query = await driver.query(orm);
  try {
    await query('select 1');
  } catch (error) {
    await orm.close(true).catch(() => undefined);
    throw error;
  }

  const transaction = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    (orm.em.fork() as unknown as SqlEntityManager).transactional(async (em) => {
      const kysely = em.getKysely();
      const inTransaction: Query = async <Row>(text: string, values: readonly unknown[] = []) =>
        (await kysely.executeQuery(CompiledQuery.raw(text, [...values]))).rows as Row[];
      return work({ em, query: inTransaction });
    });

  // The migrator makes its own table even to look, which servers that start together must not do at the same moment. A
  // transaction-level lock: released even when this process dies. The migrator works on connections of its own.
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    driver.exclusive
      ? work()
      : transaction(async (tx) => {
          await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
          return work();
        });

  return {
    kind: driver.kind,
    describe: driver.describe,
    exclusive: driver.exclusive,
    orm,
    query,
    transaction,
    pendingMigrations: () => alone(async () => (await orm.migrator.getPending()).map((m) => m.name)),
    migrate: () => alone(async () => (await orm.migrator.up()).map((m) => m.name)),
    async close() {
      await orm.close(true);
      await driver.release?.();
      lock?.release();
    },
  };
}
