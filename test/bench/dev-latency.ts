import pg from 'pg';
import { stopAll } from './processes.ts';
import { measureLatency } from './registry/latency.ts';

const databaseUrl = `postgres://postgres@127.0.0.1:5432/${process.argv[2]}`;
const c = new pg.Client({ connectionString: databaseUrl });
await c.connect();
const { rows } = await c.query(
  'select provider as id from agent where provider is not null group by 1 order by count(*) desc',
);
await c.end();
try {
  for (const r of await measureLatency({
    databaseUrl,
    env: { SECRET_KEY: 'x'.repeat(40), DATA_DIR: '/tmp/bench-dd' },
    rounds: Number(process.argv[3] ?? 5),
    providers: { big: rows[0].id, small: rows.at(-1).id },
  }))
    console.log(r.case.group, r.case.name.padEnd(32), r.items, r.p50.toFixed(1), r.p95.toFixed(1));
} finally {
  await stopAll();
}
