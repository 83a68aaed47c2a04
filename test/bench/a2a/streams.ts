import { inTurns, type Spread, spreadOf } from '../bursts.ts';
import type { Asker } from '../processes.ts';
import { median, quantile } from '../statistics.ts';
import type { Times } from './jobs/streams.ts';
import type { A2aJobs } from './load.ts';
import type { ComparedServers, Servers } from './set-up.ts';

/** Milliseconds from the request to what is named, of single streams. */
export interface FirstEventRow {
  readonly what: string;
  readonly ours: number;
  readonly oursP99: number;
  readonly pass: number;
  readonly passP99: number;
  /** What Rollcall adds to the pass-through: the difference of the medians in a round. */
  readonly added: Spread;
  readonly durable: number;
  /** What the bare durable server adds to it. */
  readonly durableAdded: Spread;
}

const SHORT = 3;
const EVENTS = { 'first event': 'first', 'first chunk': 'firstChunk', 'end of the stream': 'end' } as const;

/** One short stream at a time, the servers in turns. */
export async function measureFirstEvent(
  asker: Asker<A2aJobs>,
  { streamingUrl, pass, durable }: ComparedServers,
  { rounds, times, warmUp }: { readonly rounds: number; readonly times: number; readonly warmUp: number },
): Promise<FirstEventRow[]> {
  const urls = [streamingUrl, pass.url, durable.url];
  const ask = (times: number) => asker.ask('firstEvent', { urls, chunks: SHORT, times });
  await ask(warmUp);
  const results: Times[][][] = [];
  for (let round = 0; round < rounds; round++) results.push(await ask(times));
  return Object.entries(EVENTS).map(([what, key]) => {
    const of = (server: number) => results.flatMap((round) => round[server]!.map((times) => times[key]));
    const inRound = (round: Times[][], server: number) => median(round[server]!.map((times) => times[key]));
    const toPass = (server: number) => spreadOf(results.map((round) => inRound(round, server) - inRound(round, 1)));
    return {
      what,
      ours: median(of(0)),
      oursP99: quantile(of(0), 0.99),
      pass: median(of(1)),
      passP99: quantile(of(1), 0.99),
      added: toPass(0),
      durable: median(of(2)),
      durableAdded: toPass(2),
    };
  });
}

/** Streams of one length. Times in milliseconds, medians over the rounds. */
export interface ChunksRow {
  readonly chunks: number;
  readonly ours: number;
  readonly pass: number;
  /** Processor time of Rollcall for a chunk. */
  readonly processorMs: number;
  /** What each further chunk cost since the row before: the same everywhere when cost is linear. */
  readonly further: number | undefined;
  readonly passFurther: number | undefined;
}

/** A burst of streams has about so many chunks, whatever their length: short ones are too quick to be timed alone. */
const CHUNKS_A_BURST = 10_000;
const MOST_STREAMS = 100;

export async function measureChunks(
  asker: Asker<A2aJobs>,
  { streamingUrl, pass, rollcall }: Servers,
  lengths: readonly number[],
  rounds: number,
): Promise<ChunksRow[]> {
  const names = lengths.flatMap((chunks) => [`ours ${chunks}`, `pass ${chunks}`]);
  const burst = async (name: string): Promise<{ ms: number; processorMs: number }> => {
    const [who, length] = name.split(' ');
    const chunks = Number(length);
    const times = Math.min(MOST_STREAMS, Math.ceil(CHUNKS_A_BURST / chunks));
    const before = rollcall.processor();
    const taken = await asker.ask('chunks', { url: who === 'ours' ? streamingUrl : pass.url, chunks, times });
    return { ms: median(taken), processorMs: (rollcall.processor() - before) / times / chunks };
  };
  for (const name of names) await burst(name);
  const results = await inTurns(names, rounds, burst);
  const rows: ChunksRow[] = [];
  for (const chunks of lengths) {
    const ours = median(results[`ours ${chunks}`]!.map(({ ms }) => ms));
    const theirs = median(results[`pass ${chunks}`]!.map(({ ms }) => ms));
    const before = rows.at(-1);
    const further = (now: number, then: number | undefined) =>
      before === undefined ? undefined : (now - then!) / (chunks - before.chunks);
    rows.push({
      chunks,
      ours,
      pass: theirs,
      processorMs: median(results[`ours ${chunks}`]!.map(({ processorMs }) => processorMs)),
      further: further(ours, before?.ours),
      passFurther: further(theirs, before?.pass),
    });
  }
  return rows;
}
