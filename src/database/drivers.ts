import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { MikroORM, Options } from '@mikro-orm/core';
import type { Pool } from 'pg';
import { type DataDirectoryLock, holdDataDirectory } from './data-directory-lock.ts';

/** One parameterised statement; rows as plain objects. `name` lets PostgreSQL prepare it once per connection. */
export type Query = <Row>(text: string, values?: readonly unknown[], name?: string) => Promise<Row[]>;

/** What differs between the databases we run on. Everything above this table sees only {@link Query} and the ORM. */
export interface Driver {
  readonly kind: 'pglite' | 'postgres';
  /** What a person may read about where the data is: no password in it. */
  readonly describe: string;
  readonly migrationLock: boolean;
  init(options: Partial<Options>): Promise<MikroORM>;
  query(orm: MikroORM): Promise<Query>;
  lock(): DataDirectoryLock | undefined;
}

const asText = (value: string): string => value;
/** timestamptz and friends as text (the row mappers parse them), int8 as a number: counters stay below 2^53. */
const PARSERS: Record<number, (value: string) => unknown> = {
  20: Number,
  1082: asText,
  1114: asText,
  1184: asText,
};

const pglite = (dataDir: string | undefined): Driver => ({
  kind: 'pglite',
  describe: dataDir === undefined ? 'embedded database in memory' : `embedded database in ${dataDir}`,
  migrationLock: false,
  lock: () => (dataDir === undefined ? undefined : holdDataDirectory(dataDir)),
  async init(options) {
    const { MikroORM } = await import('@mikro-orm/pglite');
    if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
    return MikroORM.init({
      ...options,
      dbName: dataDir === undefined ? 'memory://' : join(dataDir, 'pglite'),
    } as never);
  },
  async query(orm) {
    const client = await (
      orm.driver.getConnection() as unknown as { getNativeClient(): Promise<PGlite> }
    ).getNativeClient();
    return async <Row>(text: string, values?: readonly unknown[]) =>
      (await client.query<Row>(text, values as unknown[], { parsers: PARSERS })).rows;
  },
});

const postgres = (url: URL): Driver => ({
  kind: 'postgres',
  describe: `PostgreSQL at ${url.hostname}:${url.port || 5432}${url.pathname}`,
  migrationLock: true,
  lock: () => undefined,
  async init(options) {
    const { MikroORM } = await import('@mikro-orm/postgresql');
    return MikroORM.init({
      ...options,
      clientUrl: url.href,
      driverOptions: { connectionTimeoutMillis: 5_000, keepAlive: true, max: 10, options: '-c TimeZone=UTC' },
    } as never);
  },
  async query(orm) {
    const { default: pg } = await import('pg');
    const pool = await (
      orm.driver.getConnection() as unknown as { getNativeClient(): Promise<Pool> }
    ).getNativeClient();
    const types = {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        PARSERS[oid] ?? pg.types.getTypeParser(oid, format as 'text'),
    };
    return async <Row>(text: string, values?: readonly unknown[], name?: string) =>
      (await pool.query({ text, values: values as unknown[], types: types as never, ...(name ? { name } : {}) }))
        .rows as Row[];
  },
});

/**
 * The driver for a `DATABASE_URL`: `postgres://…`, `memory://`, or none, which is the embedded database under `dataDir`.
 */
export function chooseDriver(databaseUrl: string | undefined, dataDir: string): Driver {
  if (databaseUrl === undefined) return pglite(dataDir);
  if (databaseUrl.startsWith('memory:')) return pglite(undefined);
  return postgres(new URL(databaseUrl));
}
