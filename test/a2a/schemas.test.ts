import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { echoAgent, eventsOf, post, rpc } from './support.ts';

/** The published JSON Schemas of the older versions, where they are at hand. */
const folder = new URL('../../../shared/reference/schemas/', import.meta.url);
const present = existsSync(fileURLToPath(new URL('a2a-0.3.0.json', folder)));
if (!present) process.stderr.write('skipped: the published A2A schemas are not at ../shared/reference/schemas\n');

function oracle(file: string): (name: string, value: unknown) => void {
  const ajv = new Ajv({ strict: false, allErrors: true });
  // Both packages are CommonJS: the default export is the function, or holds it.
  const add = addFormats as unknown as ((a: Ajv) => void) & { default?: (a: Ajv) => void };
  (add.default ?? add)(ajv);
  const schema = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, unknown>;
  ajv.addSchema(schema, file);
  const root = 'definitions' in schema ? 'definitions' : '$defs';
  return (name, value) => {
    const validate = ajv.getSchema(`${file}#/${root}/${name}`);
    if (!validate) throw new Error(`${file} defines no ${name}`);
    expect(validate(value), `${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`).toBe(true);
  };
}

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

describe.skipIf(!present)('what goes over the wire is what was published', () => {
  const message = (text: string) => ({
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text }],
  });

  test.each(['a2a-0.3.0.json', 'a2a-0.2.5.json'])('0.3 answers validate against %s', async (file) => {
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
