import { Pool } from 'undici';
import { quantile } from './statistics.ts';

/** One burst of requests: `connections` at a time, bodies in turn, until `ms` are over or `most` are answered. */
export interface LoadJob {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly ms: number;
  readonly most: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly answered: number;
  readonly p50: number;
  readonly p99: number;
}

async function run(job: LoadJob): Promise<LoadResult> {
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
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || text.startsWith('{"errors"'))
        throw new Error(`${job.url} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: job.connections }, worker));
  const seconds = (performance.now() - from) / 1000;
  await pool.close();
  return {
    perSecond: latencies.length / seconds,
    answered: latencies.length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

// A process of its own, so that asking does not take processor time from the one that answers: jobs come by IPC.
process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send!({ result }),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
