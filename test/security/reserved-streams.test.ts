import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';

const QUERY = '{ agent(handle: "echo") { handle } }';

let app: App;
let url: string;
let mine: string;
let theirs: string;
beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, MAX_STREAMS_PER_CALLER: '2' });
  url = `${app.addresses.url}graphql/stream`;
  mine = await tokenFor('11111111-1111-4111-8111-111111111111');
  theirs = await tokenFor('22222222-2222-4222-8222-222222222222');
});
afterAll(() => app?.close());

const ask = (
  method: string,
  bearer: string,
  { stream, accept, body }: { stream?: string; accept?: string; body?: object },
) =>
  fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(stream === undefined ? {} : { 'x-graphql-event-stream-token': stream }),
      ...(accept === undefined ? {} : { accept }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const OPERATION = { query: QUERY, extensions: { operationId: '1' } };

describe('event streams that carry several operations', () => {
  test('work with the client of the protocol', async () => {
    const client = createClient({
      url,
      singleConnection: true,
      retryAttempts: 0,
      headers: { authorization: `Bearer ${mine}` },
    });
    for (let i = 0; i < 2; i++)
      for await (const answer of client.iterate({ query: QUERY }))
        expect(answer.data).toEqual({ agent: { handle: 'echo' } });
    client.dispose();
  });

  test('are nobody else’s: not to read, not to write, not to end', async () => {
    const reserved = await ask('PUT', mine, {});
    expect(reserved.status).toBe(201);
    const stream = await reserved.text();
    for (const [method, more] of [
      ['GET', { accept: 'text/event-stream' }],
      ['POST', { body: OPERATION }],
      ['POST', { body: OPERATION, accept: 'text/event-stream' }],
      ['DELETE', {}],
    ] as const) {
      const answer = await ask(method, theirs, { stream, ...more });
      expect([method, answer.status]).toEqual([method, 404]);
      expect(await answer.json()).toMatchObject({ code: 'NOT_FOUND' });
    }
    const read = await ask('GET', mine, { stream, accept: 'text/event-stream' });
    expect(read.status).toBe(200);
    expect((await ask('POST', mine, { stream, body: OPERATION })).status).toBe(202);
    const reader = read.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: complete')) text += (await reader.read()).value ?? '';
    expect(text).toContain('"handle":"echo"');
    await reader.cancel();
    await expect.poll(async () => (await ask('POST', mine, { stream, body: OPERATION })).status).toBe(404);
  });

  test('are named by the server: a token of the caller’s own choice is not taken', async () => {
    const reserved = await ask('PUT', theirs, { stream: 'undefined' });
    const stream = await reserved.text();
    expect(stream).toMatch(/^[0-9a-f-]{36}$/);
    // One who gives no token has a connection to themselves, whatever others reserved.
    const alone = await ask('POST', mine, { accept: 'text/event-stream', body: { query: QUERY } });
    expect(await alone.text()).toContain('"handle":"echo"');
    const read = await ask('GET', theirs, { stream, accept: 'text/event-stream' });
    await read.body!.cancel();
  });

  test('count as streams of who reserved them', async () => {
    const reserved = [await ask('PUT', mine, {}), await ask('PUT', mine, {})];
    expect(reserved.map(({ status }) => status)).toEqual([201, 201]);
    expect((await ask('PUT', mine, {})).status).toBe(429);
    expect((await ask('PUT', theirs, {})).status).toBe(201);
  });
});
