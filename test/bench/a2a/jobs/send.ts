import { Pool } from 'undici';
import { type LoadResult, resultOf } from '../../bursts.ts';
import { type Answer, echoOf, HEADERS, sendBody } from '../wire.ts';

/** SendMessage over so many connections for so long, or until `most` are answered. */
export interface SendJob {
  readonly url: string;
  readonly connections: number;
  readonly ms: number;
  readonly most?: number;
}

/** So many answers of a burst are read in full; of the others, what a wrong one could not have. */
const READ_IN_FULL = 50;
const COMPLETED = 'TASK_STATE_COMPLETED';

let sent = 0;

export async function send({ url, connections, ms, most = Number.POSITIVE_INFINITY }: SendJob): Promise<LoadResult> {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const latencies: number[] = [];
  const ids = new Set<string>();
  let begun = 0;
  const from = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() < from + ms && begun < most) {
      begun++;
      const text = `a message of the benchmark, of a usual length, with the number ${sent++}`;
      const body = sendBody('SendMessage', text);
      const at = performance.now();
      const answer = await pool.request({ path, method: 'POST', headers: HEADERS, body });
      const said = await answer.body.text();
      latencies.push(performance.now() - at);
      if (answer.statusCode !== 200 || !said.includes(COMPLETED) || !said.includes(`"${echoOf(text)}"`))
        throw new Error(`${url} answered ${answer.statusCode}: ${said.slice(0, 500)}`);
      if (latencies.length <= READ_IN_FULL) ids.add(taskOf(said, text));
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - from) / 1_000;
  await pool.close();
  const read = Math.min(READ_IN_FULL, latencies.length);
  if (ids.size !== read) throw new Error(`${url} answered ${read} messages with ${ids.size} tasks`);
  return resultOf(latencies, seconds);
}

function taskOf(said: string, text: string): string {
  const { task } = (JSON.parse(said) as Answer).result ?? {};
  if (task?.status.state !== COMPLETED || task.artifacts?.[0]?.parts[0]?.text !== echoOf(text))
    throw new Error(`not the answer to "${text}": ${said}`);
  return task.id;
}
