import { afterAll, beforeAll, describe, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { oracle, schemasPresent } from '../support/published-schemas.ts';
import { echoAgent, eventsOf, post, rpc } from './support.ts';

let app: App;
let base: string;
beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
});
afterAll(() => app?.close());

const stream = async (body: unknown) =>
  eventsOf(
    await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

const TEXTS = ['hello', 'stream: a b c', 'ask: more?', 'fail: on purpose', 'message: hi'];

describe.skipIf(!schemasPresent())('what goes over the wire is what was published', () => {
  const message = (text: string) => ({
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text }],
  });

  test.each(['a2a-0.3.0.json', 'a2a-0.2.5.json'] as const)('0.3 answers validate against %s', async (file) => {
    const valid = oracle(file);
    for (const text of TEXTS) {
      const sent = await post(base, rpc('message/send', { message: message(text) }));
      valid('SendMessageSuccessResponse', sent.body);
      for (const { data } of await stream(rpc('message/stream', { message: message(text) }))) {
        valid('SendStreamingMessageSuccessResponse', data);
      }
      const { id } = sent.body['result'];
      if (sent.body['result'].kind === 'message') continue;
      valid('GetTaskSuccessResponse', (await post(base, rpc('tasks/get', { id }))).body);
      const canceled = await post(base, rpc('tasks/cancel', { id }));
      valid(text.startsWith('ask') ? 'CancelTaskSuccessResponse' : 'JSONRPCErrorResponse', canceled.body);
    }
    valid('JSONRPCErrorResponse', (await post(base, '{')).body);
    valid('JSONRPCErrorResponse', (await post(base, rpc('no/such/method'))).body);
  });

  test('early answers validate against a2a-0.1.0.json', async () => {
    const valid = oracle('a2a-0.1.0.json');
    const params = (text: string) => ({
      id: crypto.randomUUID(),
      message: { role: 'user', parts: [{ type: 'text', text }] },
    });
    for (const text of TEXTS) {
      const mine = params(text);
      valid('SendTaskResponse', (await post(base, rpc('tasks/send', mine))).body);
      valid('GetTaskResponse', (await post(base, rpc('tasks/get', { id: mine.id }))).body);
      valid('CancelTaskResponse', (await post(base, rpc('tasks/cancel', { id: mine.id }))).body);
      for (const { data } of await stream(rpc('tasks/sendSubscribe', params(text)))) {
        valid('SendTaskStreamingResponse', data);
      }
    }
  });
});
