import { Pool } from 'undici';
import { type LoadResult, resultOf } from './bursts.ts';
import { takeJobs } from './jobs.ts';

/** One burst of requests: `connections` at a time, bodies in turn, until `ms` are over or `most` are answered. */
export interface LoadJob {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly ms: number;
  readonly most: number;
  /** Besides the type of the body. */
  readonly headers?: Readonly<Record<string, string>>;
}

async function burst(job: LoadJob): Promise<LoadResult> {
  const url = new URL(job.url);
  const pool = new Pool(url.origin, { connections: job.connections, pipelining: 1 });
  const latencies: number[] = [];
  let sent = 0;
  const from = performance.now();
  const until = from + job.ms;
  const worker = async (): Promise<void> => {
    while (performance.now() < until && sent < job.most) {
      const body = job.bodies[sent++ % job.bodies.length]!;
      const at = performance.now();
      const answer = await pool.request({
        path: url.pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...job.headers },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || text.includes('"errors":['))
        throw new Error(`${job.url} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: job.connections }, worker));
  const seconds = (performance.now() - from) / 1000;
  await pool.close();
  return resultOf(latencies, seconds);
}

const jobs = { burst };
export type HttpJobs = typeof jobs;
takeJobs(jobs);
