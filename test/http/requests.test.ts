import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';

let app: App;
let url: string;
let agent: string;
beforeAll(async () => {
  app = await startTestApp();
  url = app.addresses.url;
  agent = (await data(url, '{ agent(handle: "echo") { id } }'))['agent'].id;
});
afterAll(() => app?.close());

describe('an address that cannot be read', () => {
  test.each([
    ['an escape of half a character', () => `a2a/${agent}/tasks/%E0%A4%A`],
    ['a percent sign alone', () => 'nothing/%'],
    ['an id past every limit', () => `a2a/${'a'.repeat(301)}`],
  ])('%s is answered like any other wrong input', async (_what, path) => {
    const answer = await fetch(`${url}${path()}`, { headers: { 'x-request-id': 'mine' } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers.get('x-request-id')).toBe('mine');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.json()).toMatchObject({ status: 400, code: 'INVALID_INPUT', title: 'Invalid input' });
  });
});

describe('a compressed body', () => {
  const body = gzipSync('{}');
  const send = (path: string, encoding: string, more: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body,
      ...more,
    });

  test.each([
    ['JSON-RPC', () => `a2a/${agent}`],
    ['HTTP+JSON', () => `a2a/${agent}/message:send`],
    ['HTTP+JSON 0.3', () => `a2a/${agent}/v1/message:send`],
    ['the early paths', () => `a2a/${agent}/tasks/send`],
    ['GraphQL', () => 'graphql'],
    ['the streams of GraphQL', () => 'graphql/stream'],
    ['the subgraph', () => 'subgraph'],
  ])('is refused as such: %s', async (_door, path) => {
    for (const encoding of ['gzip', ' BR ', 'identity, gzip']) {
      const answer = await send(path(), encoding);
      expect(answer.status, encoding).toBe(415);
      const text = await answer.text();
      expect(text).toContain('compressed bodies are not taken');
      if (!path().startsWith('a2a/')) expect(text).toContain('UNSUPPORTED_MEDIA_TYPE');
    }
  });

  test('is none where the coding changes nothing, or where there is no body', async () => {
    const asIs = await send('graphql', 'identity', { body: '{"query":"{ __typename }"}' });
    expect(await asIs.json()).toEqual({ data: { __typename: 'Query' } });
    const card = `a2a/${agent}/.well-known/agent-card.json`;
    expect((await send(card, 'gzip', { method: 'GET', body: null })).status).toBe(200);
  });
});
