import { parseArgs } from 'node:util';
import { fuzz } from './support/fuzz/run.ts';
import { startTarget } from './support/fuzz/target.ts';

// node test/security/fuzz.ts --cases 100000 --seed 1     (after npm run build; without --seed another one each time)
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
const cases = Number(values.cases);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const target = await startTarget();
const began = Date.now();
say(`${cases} cases, seed ${seed}`);
try {
  const report = await fuzz(target, {
    cases,
    seed,
    progress: (done) => done % 5_000 === 0 && say(`${done} done, ${Math.round((Date.now() - began) / 1_000)} s`),
  });
  say(JSON.stringify({ ...report, seed, seconds: Math.round((Date.now() - began) / 1_000) }, null, 2));
} catch (error) {
  say(error instanceof Error ? String(error.stack) : String(error));
  process.exitCode = 1;
} finally {
  await target.close();
}
