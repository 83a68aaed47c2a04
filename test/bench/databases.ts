import pg from 'pg';

const SERVER = process.env['BENCH_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** Databases of this run, on the server that BENCH_POSTGRES names. */
export interface BenchDatabases {
  /** Makes an empty database and answers its URL. */
  create(label: string): Promise<string>;
  /** The version of the server. */
  readonly version: string;
  /** Drops what was made. */
  drop(): Promise<void>;
}

/** A connection, with settings in the form of `-c name=value`. */
export async function connect(url: string, options?: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...(options === undefined ? {} : { options }) });
  await client.connect();
  return client;
}

export async function openDatabases(): Promise<BenchDatabases> {
  const admin = await connect(SERVER);
  const { rows } = await admin.query<{ version: string }>(`select current_setting('server_version') as version`);
  const made: string[] = [];
  return {
    version: rows[0]!.version,
    async create(label) {
      const name = `rollcall_bench_${process.pid}_${label}`;
      await admin.query(`create database ${name}`);
      made.push(name);
      const url = new URL(SERVER);
      url.pathname = `/${name}`;
      return url.href;
    },
    async drop() {
      for (const name of made) await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
