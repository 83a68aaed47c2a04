import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';

let app: App;
let url: string;
beforeAll(async () => {
  app = await startTestApp();
  url = app.addresses.url;
});
afterAll(() => app?.close());

/** Headers that differ from one request to the next, whatever answers it. */
const PASSING = new Set(['date', 'x-request-id', 'connection', 'keep-alive']);

async function post(body: unknown, accept?: string) {
  const response = await fetch(new URL('graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(accept === undefined ? {} : { accept }) },
    body: JSON.stringify(body),
  });
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !PASSING.has(name)));
  return { status: response.status, headers, text: await response.text() };
}

const LIST = 'query List($first: Int) { agents(first: $first) { nodes { handle } pageInfo { hasNextPage } } }';

describe('an operation that has been answered before', () => {
  const same: [name: string, body: Record<string, unknown>, accept?: string][] = [
    ['a query', { query: LIST, variables: { first: 3 } }],
    ['a query by name', { query: `${LIST} query Other { __typename }`, operationName: 'Other' }],
    ['a query that asks for graphql-response+json', { query: LIST }, 'application/graphql-response+json'],
    ['a query with an error in a field', { query: '{ agent { id } agents(first: 1) { nodes { id } } }' }],
    ['a query with wrong variables', { query: LIST, variables: { first: 'three' } }],
    ['a query with variables of another shape', { query: LIST, variables: [] }],
    ['a query with too much behind its variables', { query: 'query($n: Int) { agents(first: $n) { nodes { skills { agent { skills { agent { id } } } } } } }', variables: { n: 1_000_000 } }],
    ['a query without the operation that is named', { query: LIST, operationName: 'Missing' }],
    ['a query about the schema', { query: '{ __schema { queryType { name } } agents(first: 1) { nodes { id } } }' }],
    ['an Accept that nothing fits', { query: LIST }, 'image/png'],
  ]; // biome-ignore format: a table
  test.each(same)('%s gets the same answer, to the byte', async (_name, body, accept) => {
    const first = await post(body, accept);
    expect(await post(body, accept)).toEqual(first);
    expect(await post(body, accept)).toEqual(first);
  });

  test('a query sees what has changed meanwhile', async () => {
    const query = '{ agent(handle: "hot-agent") { name } }';
    expect(await data(url, query)).toEqual({ agent: null });
    await data(url, 'mutation { registerAgent(input: { name: "Hot agent", executionType: API }) { id } }');
    expect(await data(url, query)).toEqual({ agent: { name: 'Hot agent' } });
  });

  test('an operation with an error in a field runs once a request', async () => {
    const { registry } = app.core;
    const { agentByHandle } = registry;
    let calls = 0;
    registry.agentByHandle = (...args) => {
      calls++;
      return agentByHandle(...args);
    };
    try {
      const body = { query: '{ a: agent(handle: "echo") { id } b: agent { id } }' };
      const answers = [await post(body), await post(body), await post(body)];
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
      expect(JSON.parse(answers[0]!.text).errors).toHaveLength(1);
      expect(calls).toBe(3);
    } finally {
      registry.agentByHandle = agentByHandle;
    }
  });

  test('a mutation runs every time', async () => {
    const mutation = 'mutation { registerAgent(input: { name: "Twice", executionType: API }) { id } }';
    const ids = [await data(url, mutation), await data(url, mutation)].map((answer) => answer['registerAgent'].id);
    expect(new Set(ids).size).toBe(2);
  });
});
