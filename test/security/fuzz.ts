import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzz } from './support/fuzz/run.ts';
import { startTarget } from './support/fuzz/target.ts';

const USAGE = `Usage: node test/security/fuzz.ts [--cases <n>] [--seed <n>]

Starts the built server (npm run build) and sends changed requests through each of its doors.

  --cases  how many requests, rounded up to whole batches (default: 100000)
  --seed   makes the same changes again; 0 to 2147483647 (default: another one each time, which is printed)
  --help   this text

Exit codes:
  0  all were answered as they should be, and the server is ready, logged no error and kept no memory
  1  one was not, and is printed in base64; or the server failed otherwise, and what happened is printed
  2  an option is wrong, or the server is not built
`;
const MOST_CASES = 100_000_000;
const MOST_SEED = 2 ** 31 - 1;
const SERVER = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @throws Error naming the option. */
function numberOf(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${option} must be a whole number from ${least} to ${most}, not "${text}".`);
}

/** @throws Error for an option that is wrong, or that there is not. */
function readOptions(args: readonly string[]): { readonly cases: number; readonly seed: number } | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: { cases: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return 'help';
  const { cases = '100000', seed = String(Math.floor(Math.random() * MOST_SEED)) } = values;
  return { cases: numberOf('cases', cases, 1, MOST_CASES), seed: numberOf('seed', seed, 0, MOST_SEED) };
}

async function run(cases: number, seed: number): Promise<void> {
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1_000);
  const target = await startTarget();
  say(`${cases} cases, seed ${seed}`);
  try {
    const progress = (done: number): void => void (done % 5_000 === 0 && say(`${done} done, ${seconds()} s`));
    const report = await fuzz(target, { cases, seed, progress });
    say(JSON.stringify({ ...report, seed, seconds: seconds() }, null, 2));
  } finally {
    await target.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
    if (options !== 'help' && !existsSync(SERVER))
      throw new Error('There is no built server: run npm run build first.');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nTry node test/security/fuzz.ts --help.\n`);
    return 2;
  }
  try {
    if (options === 'help') say(USAGE.trimEnd());
    else await run(options.cases, options.seed);
    return 0;
  } catch (error) {
    say(error instanceof Error ? String(error.stack) : String(error));
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
