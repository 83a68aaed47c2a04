import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { serverAudits } from 'graphql-http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';

let app: App;
let url: string;
beforeAll(async () => {
  app = await startTestApp();
  url = app.addresses.url;
});
afterAll(() => app?.close());

describe.each([
  ['hot path on', 'true'],
  ['hot path off', 'false'],
])('GraphQL over HTTP, %s', (_name, hotPath) => {
  let app: App;
  let url: string;
  beforeAll(async () => {
    app = await startTestApp({ GRAPHQL_HOT_PATH: hotPath });
    url = app.addresses.url;
  });
  afterAll(() => app?.close());
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  test.each(serverAudits({ url: () => `${url}graphql`, fetchFn: fetch }).map((audit) => [audit.name, audit] as const))(
    '%s',
    async (_name, audit) => {
      // Twice: the second time it is a request like one before.
      await audit.fn();
      const result = await audit.fn();
      expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
    },
  );

  test.each([
    ['malformed JSON', '{"query"', {}, 400, 'PARSE_ERROR'],
    ['an empty body', '', {}, 400, 'PARSE_ERROR'],
    [
      'a form',
      'query=%7Bagents%7D',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['a batch', '[{"query":"{ __typename }"}]', {}, 400, undefined],
  ])('%s is refused in the shape of a GraphQL answer', async (_what, body, headers, status, code) => {
    const answer = await post(body, headers as unknown as Record<string, string>);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(((await answer.json()) as any).errors[0].extensions.code).toBe(code);
  });

  test('a body over the limit is refused', async () => {
    const small = await startTestApp({ MAX_BODY_BYTES: '2048' });
    try {
      const answer = await fetch(`${small.addresses.url}graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: `{ ${'a'.repeat(3000)} }` }),
      });
      expect(answer.status).toBe(413);
      expect(((await answer.json()) as any).errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
    } finally {
      await small.close();
    }
  });

  test('the same query is answered alike the first time and after it', async () => {
    const body = JSON.stringify({
      query: 'query($n: Int) { agents(first: $n) { nodes { handle displayType skills { key } } } }',
      variables: { n: 5 },
    });
    const answers = [];
    for (let i = 0; i < 3; i++) {
      const answer = await post(body);
      answers.push([answer.status, answer.headers.get('content-type'), await answer.text()]);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    const wrong = await post(body.replace('"n":5', '"n":0'));
    expect(((await wrong.json()) as any).errors[0].extensions.code).toBe('INVALID_INPUT');
  });

  test('a subscription by POST is refused, saying where it is answered', async () => {
    const answer = await post(JSON.stringify({ query: 'subscription { agentsChanged { action } }' }));
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as any).errors[0].message).toMatch(/\/graphql\/stream/);
  });

  test('mutations are refused by GET', async () => {
    const answer = await fetch(
      `${url}graphql?query=${encodeURIComponent('mutation { deleteAgent(input: { id: "x" }) { id } }')}`,
    );
    expect(answer.status).toBe(405);
  });
});

describe('limits', () => {
  const nest = (depth: number): string => (depth === 0 ? 'id' : `skills { agent { ${nest(depth - 1)} } }`);
  test.each([
    ['depth', `{ agent(handle: "echo") { ${nest(12)} } }`],
    ['number of aliases', `{ ${Array.from({ length: 201 }, (_, i) => `a${i}: __typename`).join(' ')} }`],
    [
      'number of fields',
      `{ ${Array.from({ length: 150 }, (_, i) => `a${i}: agent(handle: "echo") { ...F }`).join(' ')} }
       fragment F on Agent { id name description url version status handle provider { id name url } skills { id key name } }`,
    ],
    // However many aliases fit into the text: those within introspection count as all others do.
    [
      'number of aliases',
      `{ __schema { ${Array.from({ length: 201 }, (_, i) => `a${i}: types { ...T }`).join(' ')} } } fragment T on __Type { name }`,
    ],
    [
      'cost',
      `{ ${Array.from({ length: 100 }, (_, i) => `a${i}: __schema { types { ...T } }`).join(' ')} }
       fragment T on __Type { fields { args { type { name kind } } type { name kind ofType { name } } } }`,
    ],
    ['cost', '{ agents(first: 200) { nodes { provider { agents(first: 200) { nodes { id name } } } } } }'],
  ])('an operation whose %s is too large is refused before it runs', async (limit, query) => {
    const { errors } = await ask(url, query);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit });
  });

  test('a document with too many tokens is refused by the parser', async () => {
    const { errors } = await ask(url, `{ ${'__typename '.repeat(10_001)} }`);
    expect(errors?.[0]?.message).toMatch(/more that 10000 tokens/);
  });

  test('the introspection that tools ask for, with everything, is within them', async () => {
    const query = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    const { data, errors } = await ask(url, query);
    expect(errors).toBeUndefined();
    expect(buildClientSchema(data as never).getQueryType()?.name).toBe('Query');
  });

  test('fragments that multiply one another cost no more to refuse than to write', async () => {
    const levels = 25;
    const fragments = Array.from(
      { length: levels },
      (_, i) => `fragment f${i} on Agent { a: skills { agent { ...f${i + 1} } } b: skills { agent { ...f${i + 1} } } }`,
    ).join('\n');
    const from = performance.now();
    const { errors } = await ask(
      url,
      `{ agent(handle: "echo") { ...f0 } }\n${fragments}\nfragment f${levels} on Agent { id }`,
    );
    expect(errors).toBeDefined();
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  test('the same limits hold over WebSocket', async () => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const failed = client.iterate({ query: `{ agent(handle: "echo") { ${nest(12)} } }` }).next();
    await expect(failed).rejects.toEqual(
      expect.arrayContaining([
        expect.objectContaining({ extensions: expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }) }),
      ]),
    );
    await client.dispose();
  });

  test('introspection can be turned off', async () => {
    const closed = await startTestApp({ INTROSPECTION: 'false' });
    try {
      const { errors } = await ask(closed.addresses.url, '{ __schema { types { name } } }');
      expect(errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
      const { errors: hidden } = await ask(closed.addresses.url, '{ agent(handle: "echo") { nam } }');
      expect(hidden?.[0]?.message).not.toMatch(/Did you mean/);
    } finally {
      await closed.close();
    }
  });
});

describe('subscriptions', () => {
  const SUBSCRIPTION =
    'subscription($filter: AgentEventFilterInput) { agentsChanged(filter: $filter) { action handle agent { description } } }';
  const rename = async (description: string) => {
    const { agent } = await data(url, '{ agent(handle: "echo") { id } }');
    await data(url, 'mutation($id: ID!, $d: String) { updateAgent(input: { id: $id, description: $d }) { id } }', {
      id: agent.id,
      d: description,
    });
  };

  test('over graphql-ws: changes arrive as they are committed, with what they joined to', async () => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const events = client.iterate<any>({ query: SUBSCRIPTION, variables: { filter: { actions: ['UPDATED'] } } });
    const first = events.next();
    await changeUntil(first, () => rename(`by socket ${Math.random()}`));
    expect((await first).value.data.agentsChanged).toMatchObject({
      action: 'UPDATED',
      handle: 'echo',
      agent: { description: expect.stringMatching(/^by socket/) },
    });
    await client.dispose();
  });

  test('over SSE: the same', async () => {
    const client = createSseClient({ url: `${url}graphql/stream`, retryAttempts: 0 });
    const events = client.iterate<any>({ query: SUBSCRIPTION });
    const first = events.next();
    await changeUntil(first, () => rename(`by stream ${Math.random()}`));
    expect((await first).value.data.agentsChanged).toMatchObject({
      handle: 'echo',
      agent: { description: expect.stringMatching(/^by stream/) },
    });
    client.dispose();
  });

  test('a socket that presents a bad token is closed, one without a token sees public agents only', async () => {
    const guarded = await startTestApp(JWT_SETTINGS);
    try {
      const address = `${guarded.addresses.url.replace('http', 'ws')}graphql`;
      const refused = createClient({
        url: address,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: 'Bearer nope' },
      });
      await expect(refused.iterate({ query: '{ agents { nodes { handle } } }' }).next()).rejects.toMatchObject({
        code: 4403,
      });
      const token = await tokenFor('11111111-1111-4111-8111-111111111111');
      await data(
        guarded.addresses.url,
        'mutation { registerAgent(input: { name: "Inside", executionType: API }) { id } }',
        undefined,
        token,
      );
      for (const [params, handles] of [
        [{}, ['echo']],
        [{ authorization: `Bearer ${token}` }, ['echo', 'inside']],
      ] as const) {
        const client = createClient({
          url: address,
          webSocketImpl: WebSocket,
          retryAttempts: 0,
          connectionParams: params,
        });
        const { value } = await client.iterate<any>({ query: '{ agents { nodes { handle } } }' }).next();
        expect(value.data.agents.nodes.map((n: any) => n.handle)).toEqual(handles);
        await client.dispose();
      }
    } finally {
      await guarded.close();
    }
  });
});

/** Makes changes until one of them has arrived: the subscription may not be in place at the first. */
async function changeUntil(arrived: Promise<unknown>, change: () => Promise<void>): Promise<void> {
  let done = false;
  void arrived.finally(() => {
    done = true;
  });
  while (!done) await change();
}

describe('pages of other sites', () => {
  test.each([
    ['another Host', { host: 'rebound.example' }],
    ['another Origin', { origin: 'https://evil.example' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', { origin: 'null' }],
  ])('%s is refused without tokens', async (_what, headers) => {
    const { request } = await import('node:http');
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        `${url}graphql?query=${encodeURIComponent('{__typename}')}`,
        { headers: headers as unknown as Record<string, string> },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        },
      );
      outgoing.on('error', reject).end();
    });
    expect(status).toBe(403);
  });

  test('a WebSocket of another origin is refused', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}graphql`, 'graphql-transport-ws', {
      origin: 'https://evil.example',
    });
    const status = await new Promise<number | undefined>((resolve) => {
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode));
      socket.on('open', () => resolve(undefined));
      socket.on('error', () => undefined);
    });
    expect(status).toBe(403);
  });

  test('GraphiQL is served whole, under a policy that lets it load nothing from elsewhere', async () => {
    const answer = await fetch(`${url}graphql`, { headers: { accept: 'text/html' } });
    expect(answer.status).toBe(200);
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe-inline/);
    expect(await answer.text()).toMatch(/renderYogaGraphiQL/);
  });
});

describe('the subgraph for other routers', () => {
  test('answers _service and _entities with the same rights', async () => {
    const { agent } = await data(url, '{ agent(handle: "echo") { id } }');
    const answer = await fetch(`${url}subgraph`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'query($r: [_Any!]!) { _service { sdl } _entities(representations: $r) { ... on Agent { name } } }',
        variables: {
          r: [
            { __typename: 'Agent', id: agent.id },
            { __typename: 'Agent', handle: 'echo' },
            { __typename: 'Agent', id: '01890000-0000-7000-8000-000000000000' },
          ],
        },
      }),
    });
    const body = (await answer.json()) as any;
    expect(body.data._service.sdl).toMatch(/@key\(fields: "id"\)/);
    expect(body.data._entities).toEqual([{ name: 'Echo' }, { name: 'Echo' }, null]);
    const client = await ask(url, '{ _service { sdl } }');
    expect(client.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  });
});
