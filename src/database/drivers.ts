import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { MikroORM, Options } from '@mikro-orm/core';
import type { Pool } from 'pg';
import { type DataDirectoryLock, holdDataDirectory } from './data-directory-lock.ts';
import { releaseLostConnections } from './lost-connections.ts';
import { readTextArray } from './text-array.ts';

/** One parameterised statement; rows as plain objects. `name` lets PostgreSQL prepare it once per connection. */
export type Query = <Row>(text: string, values?: readonly unknown[], name?: string) => Promise<Row[]>;

/** What differs between the databases we run on. Everything above this table sees only {@link Query} and the ORM. */
export interface Driver {
  readonly kind: 'pglite' | 'postgres';
  /** What a person may read about where the data is: no password in it. */
  readonly describe: string;
  /** No other process can have the database open at the same time. */
  readonly exclusive: boolean;
  init(options: Partial<Options>): Promise<MikroORM>;
  query(orm: MikroORM): Promise<Query>;
  lock(): DataDirectoryLock | undefined;
  /** Gives back what the ORM does not close itself. */
  release?(): Promise<void>;
}

const TEXT_ARRAY = 1009;
const asText = (value: string): string => value;
/** timestamptz and friends as text (the row mappers parse them), int8 as a number: counters stay below 2^53. */
const PARSERS: Record<number, (value: string) => unknown> = {
  20: Number,
  1082: asText,
  1114: asText,
  1184: asText,
};

/** Made here and not by the ORM, which would copy the blob, property by property, into something that is none. */
async function fromTemplate(template: Blob): Promise<PGlite> {
  const [{ PGlite }, { createPostgreSqlTypeParsers }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@mikro-orm/sql'),
  ]);
  return PGlite.create({
    loadDataDir: template,
    parsers: createPostgreSqlTypeParsers(((list: string) => list) as never) as never,
  });
}

function pglite(dataDir: string | undefined, template: Blob | undefined): Driver {
  let own: Promise<PGlite> | undefined;
  return {
    kind: 'pglite',
    describe: dataDir === undefined ? 'embedded database in memory' : `embedded database in ${dataDir}`,
    exclusive: true,
    lock: () => (dataDir === undefined ? undefined : holdDataDirectory(dataDir)),
    async init(options) {
      const { MikroORM } = await import('@mikro-orm/pglite');
      if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
      return MikroORM.init({
        ...options,
        dbName: dataDir === undefined ? 'memory://' : join(dataDir, 'pglite'),
        ...(template === undefined
          ? {}
          : {
              driverOptions: {
                pglite: () => {
                  own = fromTemplate(template);
                  return own;
                },
              },
            }),
      } as never);
    },
    async query(orm) {
      const client = await (
        orm.driver.getConnection() as unknown as { getNativeClient(): Promise<PGlite> }
      ).getNativeClient();
      // It takes the zone of the machine otherwise; toDate and the cursors count on UTC.
      await client.exec(`set time zone 'UTC'`);
      return async <Row>(text: string, values?: readonly unknown[]) =>
        (await client.query<Row>(text, values as unknown[], { parsers: PARSERS })).rows;
    },
    async release() {
      await (await own)?.close();
    },
  };
}

/**
 * Settings of each connection. Compiling a statement (jit) and starting workers for it take longer than any of ours runs,
 * and workers read ahead of a page's end. In work_mem of 4 MB the matches of a frequent word among a million agents do not
 * fit, and every row of their pages would be read and matched again.
 */
export const SESSION = '-c TimeZone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c work_mem=16MB';

const postgres = (url: URL): Driver => ({
  kind: 'postgres',
  describe: `PostgreSQL at ${url.hostname}:${url.port || 5432}${url.pathname}`,
  exclusive: false,
  lock: () => undefined,
  async init(options) {
    const { MikroORM } = await import('@mikro-orm/postgresql');
    return MikroORM.init({
      ...options,
      clientUrl: url.href,
      driverOptions: { connectionTimeoutMillis: 5_000, keepAlive: true, max: 10, options: SESSION },
    } as never);
  },
  async query(orm) {
    const { default: pg } = await import('pg');
    const pool = await (
      orm.driver.getConnection() as unknown as { getNativeClient(): Promise<Pool> }
    ).getNativeClient();
    releaseLostConnections(pool);
    const slowTextArray = pg.types.getTypeParser(TEXT_ARRAY as never, 'text') as (text: string) => unknown;
    const parsers: typeof PARSERS = { ...PARSERS, [TEXT_ARRAY]: (text) => readTextArray(text, slowTextArray) };
    const types = {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        parsers[oid] ?? pg.types.getTypeParser(oid, format as 'text'),
    };
    return async <Row>(text: string, values?: readonly unknown[], name?: string) =>
      (await pool.query({ text, values: values as unknown[], types: types as never, ...(name ? { name } : {}) }))
        .rows as Row[];
  },
});

/** Where the data is. */
export interface DatabaseOptions {
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
  /** What a database in memory begins as: a dump of a data directory. Making an empty one takes seconds, loading one does not. */
  readonly template?: Blob | undefined;
}

/**
 * The driver for a `DATABASE_URL`: `postgres://…`, `memory://`, or none, which is the embedded database under `dataDir`.
 */
export function chooseDriver({ databaseUrl, dataDir, template }: DatabaseOptions): Driver {
  if (databaseUrl === undefined) return pglite(dataDir, undefined);
  if (databaseUrl.startsWith('memory:')) return pglite(undefined, template);
  return postgres(new URL(databaseUrl));
}
