import { parseArgs } from 'node:util';
import { benchA2a } from './a2a/a2a.ts';
import { benchAuth } from './auth/auth.ts';
import { benchFederation } from './gateway/federation.ts';
import { benchGrpc } from './grpc/grpc.ts';
import { stopAll } from './processes.ts';
import { benchRegistry } from './registry/registry.ts';

/** What every benchmark is told. */
export interface BenchOptions {
  /** A fraction of the full run, to see that it works. */
  readonly quick: boolean;
  /** Rounds of what is measured in turns, instead of the benchmark's own number. */
  readonly rounds: number | undefined;
  /** Length of a burst of requests, instead of the benchmark's own. */
  readonly seconds: number | undefined;
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
  a2a: {
    help: 'messages, streams and open streams through Rollcall to an agent, against a pass-through and the SDK',
    run: benchA2a,
  },
  auth: {
    help: 'processor time of requests without sign-in, with a shared secret, and with the keys of an identity provider',
    run: benchAuth,
  },
  federation: {
    help: 'joins and lists against Hive Gateway, @apollo/gateway and a bare server; subscriptions; 30 subgraphs',
    run: benchFederation,
  },
  grpc: {
    help: "Flyte's listing and routed tasks, against a bare server and the deployment itself",
    run: benchGrpc,
  },
  registry: {
    help: 'pages, filters and text search at growing sizes, against a bare peer; start-up and memory',
    run: benchRegistry,
  },
};

const HELP = `Usage: npm run bench -- <benchmark> [--quick] [--rounds <n>] [--seconds <n>] [--json]

${Object.entries(BENCHMARKS)
  .map(([name, { help }]) => `  ${name.padEnd(11)} ${help}`)
  .join('\n')}

  --quick    smaller sizes and fewer rounds: figures not worth quoting
  --rounds   rounds of what is measured in turns, instead of the benchmark's own number
  --seconds  length of a burst of requests, instead of the benchmark's own
  --json     figures as JSON on standard output
  --help     this text

Compiles the server and runs it. Needs a PostgreSQL server, on which each benchmark makes databases of
its own and drops them: BENCH_POSTGRES, by default postgres://postgres@127.0.0.1:5432/postgres.
`;

function positive(name: string, text: string | undefined, form: RegExp): number | undefined {
  if (text === undefined) return undefined;
  if (!form.test(text) || Number(text) === 0) throw new Error(`--${name} must be a number above 0, not "${text}"`);
  return Number(text);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const benchmark = BENCHMARKS[positionals[0] ?? ''];
  if (values.help === true || benchmark === undefined || positionals.length !== 1) {
    process.stdout.write(HELP);
    return values.help === true ? 0 : 2;
  }
  const result = await benchmark.run({
    quick: values.quick === true,
    rounds: positive('rounds', values.rounds, /^[1-9]\d{0,2}$/),
    seconds: positive('seconds', values.seconds, /^\d{1,2}(\.\d+)?$/),
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
