import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHIMS } from '../../src/a2a/shims.ts';
import type { App } from '../../src/app.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../src/protocol/a2a/methods.ts';
import { startTestApp } from '../support/app.ts';
import { echoAgent } from './support.ts';

let app: App;
let base: string;
beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}`;
});
afterAll(() => app?.close());

const METHODS = OPERATION_NAMES.flatMap((operation) => Object.values(OPERATIONS[operation].jsonRpc)).filter(
  (method): method is string => method !== null,
);

/** Texts that databases, headers and paths are sensitive to, among others. */
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('\u0000', '\ud800', '', 'x'.repeat(300), '../..', "'; --", '00000000-0000-7000-8000-000000000000'),
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, 0, 101, 1e300));
const value = fc.oneof({ weight: 4, arbitrary: text }, number, fc.boolean(), fc.constant(null), fc.jsonValue());
const part = fc.record(
  { kind: text, type: text, text, data: value, raw: text, url: text, metadata: value },
  { requiredKeys: [] },
);
const message = fc.record(
  {
    messageId: text,
    role: fc.constantFrom('ROLE_USER', 'user', 'agent', 1),
    parts: fc.oneof(
      fc.array(part, { maxLength: 3 }),
      fc.constant([{ text: 'hi' }]),
      fc.constant([{ kind: 'text', text: 'hi' }]),
    ),
    contextId: value,
    taskId: value,
    metadata: value,
    extensions: value,
  },
  { requiredKeys: ['messageId', 'role', 'parts'] },
);
const params = fc.oneof(
  { weight: 1, arbitrary: value },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        id: value,
        taskId: value,
        message: fc.oneof({ weight: 5, arbitrary: message }, value),
        sessionId: value,
        contextId: value,
        historyLength: value,
        pageSize: value,
        pageToken: value,
        status: value,
        statusTimestampAfter: value,
        configuration: fc.oneof(
          fc.record({ historyLength: value, returnImmediately: value, blocking: value }, { requiredKeys: [] }),
          value,
        ),
        metadata: value,
        pushNotificationConfig: value,
        url: value,
      },
      { requiredKeys: [] },
    ),
  },
);

/** Reads an answer to its end; a stream is left after its first bytes. */
async function answered(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body!.getReader();
  const { value: first } = await reader.read();
  await reader.cancel();
  return first === undefined ? '' : Buffer.from(first).toString();
}

const headers = { 'content-type': 'application/json' };

test('whatever the params of a method are, nothing fails on our side', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...METHODS), params, async (method, input) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: input });
      const response = await fetch(base, { method: 'POST', headers, body });
      expect(response.status).toBe(200);
      expect(await answered(response)).not.toContain('INTERNAL');
    }),
    { numRuns: 300, interruptAfterTimeLimit: 40_000 },
  );
});

test('whatever a body of the early paths is, nothing fails on our side', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(SHIMS)), fc.oneof(params, fc.string()), async (path, input) => {
      const body = typeof input === 'string' ? input : JSON.stringify(input);
      const response = await fetch(`${base}${path}`, { method: 'POST', headers, body });
      expect(response.status).toBeLessThan(500);
      await answered(response);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 40_000 },
  );
});

test('whatever path, query and headers are, nothing fails on our side', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'tasks',
      'v1',
      'message:send',
      'x:cancel',
      'x:subscribe',
      'pushNotificationConfigs',
      '%',
      '%00',
      '%zz',
      '.',
      'a%2Fb',
    ),
    fc.webSegment(),
  );
  const header = fc.constantFrom('', '0', '-1', '1e9', 'x'.repeat(300), '99999999999999999999', '1.0', ',,');
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE'),
      fc.array(segment, { maxLength: 5 }),
      fc.webQueryParameters(),
      header,
      async (method, path, query, said) => {
        const response = await fetch(`${base}/${path.join('/')}?${query}`, {
          method,
          headers: { ...headers, 'last-event-id': said, 'idempotency-key': said, 'a2a-extensions': said },
          ...(method === 'POST' ? { body: '{}' } : {}),
        });
        expect(response.status).toBeLessThan(500);
        await answered(response);
      },
    ),
    { numRuns: 200, interruptAfterTimeLimit: 40_000 },
  );
});
