import { Pool } from 'undici';
import { chunkText, STREAM } from '../wire.ts';
import { endsIn, openStream } from './events.ts';

/** When what of one stream came, in milliseconds after the request. */
export interface Times {
  readonly first: number;
  readonly firstChunk: number;
  readonly end: number;
}

/** Reads a stream of so many chunks. @throws Error when one is missing, twice there or out of order. */
async function readStream(pool: Pool, url: string, chunks: number): Promise<Times> {
  let first: number | undefined;
  let firstChunk: number | undefined;
  let state: string | undefined;
  let seen = 0;
  const from = performance.now();
  await openStream(pool, url, `${STREAM} ${chunks}`, (result) => {
    first ??= performance.now() - from;
    state = endsIn(result) ?? state;
    // A reader that came late may be given several chunks as one event, or within the task.
    const artifact = result.artifactUpdate?.artifact ?? result.task?.artifacts?.[0];
    for (const { text } of artifact?.parts ?? []) {
      firstChunk ??= performance.now() - from;
      if (text !== chunkText(seen++)) throw new Error(`${url}: "${text}" is not chunk ${seen - 1} of ${chunks}`);
    }
  });
  const end = performance.now() - from;
  if (seen !== chunks || state !== 'TASK_STATE_COMPLETED')
    throw new Error(`${url}: ${seen} of ${chunks} chunks, and ${state} at the end`);
  return { first: first!, firstChunk: firstChunk!, end };
}

const poolOf = (url: string): Pool =>
  new Pool(new URL(url).origin, { connections: 1, pipelining: 1, bodyTimeout: 60_000 });

/** One stream at a time, the servers in turns. */
export interface FirstEventJob {
  readonly urls: readonly string[];
  readonly chunks: number;
  readonly times: number;
}

export async function firstEvent({ urls, chunks, times }: FirstEventJob): Promise<Times[][]> {
  const pools = urls.map(poolOf);
  const taken = urls.map((): Times[] => []);
  for (let n = 0; n < times; n++) {
    for (const i of n % 2 === 0 ? urls.keys() : [...urls.keys()].reverse())
      taken[i]!.push(await readStream(pools[i]!, urls[i]!, chunks));
  }
  await Promise.all(pools.map((pool) => pool.close()));
  return taken;
}

/** One stream after another of one length. */
export interface ChunksJob {
  readonly url: string;
  readonly chunks: number;
  readonly times: number;
}

/** Milliseconds from the request to the end of each stream. */
export async function chunks({ url, chunks, times }: ChunksJob): Promise<number[]> {
  const pool = poolOf(url);
  const taken: number[] = [];
  for (let n = 0; n < times; n++) taken.push((await readStream(pool, url, chunks)).end);
  await pool.close();
  return taken;
}
