import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile } from '../../statistics.ts';
import { clock, HOLD } from '../wire.ts';
import { endsIn, openStream } from './events.ts';

/** Connections that are opened at the same time. */
const AT_ONCE = 50;
const LATE_MS = 20_000;

/** The streams that this process holds open between its jobs. */
let pool: Pool | undefined;
let ended: Promise<void>[] = [];
let latencies: number[] = [];

/** Opens streams and keeps them open. Resolves when each has begun. */
export async function hold({ url, streams }: { readonly url: string; readonly streams: number }): Promise<void> {
  pool = new Pool(new URL(url).origin, { connections: streams, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  ended = [];
  const holding = pool;
  const one = (): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    let state: string | undefined;
    const end = openStream(holding, url, HOLD, (result) => {
      begun.resolve();
      state = endsIn(result) ?? state;
      const text = result.artifactUpdate?.artifact.parts[0]?.text;
      if (text !== undefined) latencies.push((clock() - Number(text)) / 1_000);
    }).then(() => {
      if (state !== 'TASK_STATE_COMPLETED') throw new Error(`${url}: a stream ended in ${state}`);
    });
    end.catch(begun.reject);
    ended.push(end);
    return begun.promise;
  };
  for (let left = streams; left > 0; left -= AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, one));
}

export interface DripJob {
  readonly agentUrl: string;
  readonly streams: number;
  readonly ms: number;
  /** Between two chunks of one stream. */
  readonly everyMs: number;
}

export interface Delivered {
  readonly delivered: number;
  readonly p50: number;
  readonly p99: number;
}

/** Lets the agent send on the open streams. Milliseconds from the agent's writing to the client's reading. */
export async function drip({ agentUrl, streams, ms, everyMs }: DripJob): Promise<Delivered> {
  latencies = [];
  const answer = await fetch(new URL(`drip?ms=${ms}&everyMs=${everyMs}`, agentUrl), { method: 'POST' });
  const { sent, streams: open } = (await answer.json()) as { sent: number; streams: number };
  if (open !== streams) throw new Error(`the agent has ${open} of ${streams} streams open`);
  for (const until = performance.now() + LATE_MS; latencies.length < sent; await wait(5))
    if (performance.now() > until) throw new Error(`${latencies.length} of ${sent} chunks were delivered`);
  return { delivered: latencies.length, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

/** Lets the agent complete the open streams, and waits until each has said so. */
export async function release({ agentUrl }: { readonly agentUrl: string }): Promise<void> {
  await (await fetch(new URL('finish', agentUrl), { method: 'POST' })).text();
  await Promise.all(ended);
  await pool?.close();
}
