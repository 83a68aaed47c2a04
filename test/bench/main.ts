import { parseArgs } from 'node:util';
import { stopAll } from './processes.ts';
import { benchRegistry } from './registry/registry.ts';

/** What every benchmark is told. */
export interface BenchOptions {
  /** A fraction of the full run, to see that it works. */
  readonly quick: boolean;
  /** Where progress goes: standard error, so that standard output is the result alone. */
  tell(line: string): void;
}

/** The result of a benchmark: `text` in Markdown for people, `figures` for programs (--json). */
export interface BenchResult {
  readonly text: string;
  readonly figures: unknown;
}

interface Benchmark {
  readonly help: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  registry: {
    help: 'pages, filters and text search at growing sizes, against a bare peer; start-up and memory',
    run: benchRegistry,
  },
};

const HELP = `Usage: npm run bench -- <benchmark> [--quick] [--json]

${Object.entries(BENCHMARKS)
  .map(([name, { help }]) => `  ${name.padEnd(10)} ${help}`)
  .join('\n')}

  --quick    smaller sizes and fewer rounds: a few minutes, figures not worth quoting
  --json     figures as JSON on standard output
  --help     this text

Runs the compiled server: npm run build comes first. Needs a PostgreSQL server, on which each benchmark makes databases of
its own and drops them: BENCH_POSTGRES, by default postgres://postgres@127.0.0.1:5432/postgres.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const benchmark = BENCHMARKS[positionals[0] ?? ''];
  if (values.help === true || benchmark === undefined || positionals.length !== 1) {
    process.stdout.write(HELP);
    return values.help === true ? 0 : 2;
  }
  const result = await benchmark.run({
    quick: values.quick === true,
    tell: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(values.json === true ? `${JSON.stringify(result.figures, null, 2)}\n` : `${result.text}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
