import { startAsker, stopAll } from './processes.ts';
import { measureThroughput } from './registry/throughput.ts';

const asker = startAsker();
try {
  for (const r of await measureThroughput(asker, {
    databaseUrl: `postgres://postgres@127.0.0.1:5432/${process.argv[2]}`,
    env: { SECRET_KEY: 'x'.repeat(40), DATA_DIR: '/tmp/bench-dd' },
    rounds: Number(process.argv[3] ?? 5),
    ms: 1500,
  }))
    console.log(r.what, r.ratio.toFixed(3), r.ratios.map((x) => x.toFixed(2)).join(' '), r.ours, r.peer);
} finally {
  await stopAll();
}
