import type { Pool } from 'undici';
import { type Answer, HEADERS, sendBody } from '../wire.ts';

type Result = NonNullable<Answer['result']>;

/** Sends a message and hands on each event of its stream, with when it came. */
export async function openStream(
  pool: Pool,
  url: string,
  text: string,
  onEvent: (result: Result) => void,
): Promise<void> {
  const body = sendBody('SendStreamingMessage', text);
  const answer = await pool.request({ path: new URL(url).pathname, method: 'POST', headers: HEADERS, body });
  if (answer.statusCode !== 200 || !String(answer.headers['content-type']).startsWith('text/event-stream'))
    throw new Error(`${url} answered ${answer.statusCode}: ${(await answer.body.text()).slice(0, 500)}`);
  answer.body.setEncoding('utf8');
  let rest = '';
  for await (const text of answer.body as AsyncIterable<string>) {
    const events = (rest + text).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      // The id, where there is one, comes before the data; both are one line, as JSON has no raw line breaks.
      const at = event.startsWith('data: ') ? 6 : event.indexOf('\ndata: ') + 7;
      if (at === 6 && !event.startsWith('data: ')) continue;
      const { result, error } = JSON.parse(event.slice(at)) as Answer;
      if (result === undefined) throw new Error(`${url} failed in its stream: ${error?.message}`);
      onEvent(result);
    }
  }
}

export const endsIn = ({ statusUpdate, task }: Result): string | undefined =>
  statusUpdate?.status.state ?? task?.status.state;
