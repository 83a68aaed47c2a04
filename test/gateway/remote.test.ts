import { setTimeout as delay } from 'node:timers/promises';
import { type ExecutionResult, parse } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExecRequest, SubgraphExecutor } from '../../src/gateway/engine.ts';
import { type Circuit, Circuits } from '../../src/gateway/remote/circuit-breaker.ts';
import type { RemoteOptions } from '../../src/gateway/remote/options.ts';
import { remoteExecutor } from '../../src/gateway/remote/remote.ts';
import { endsBefore } from '../support/ends-before.ts';
import { type AnsweringServer, answeringServer, json } from './support/answering-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});

async function serverAnswering(answer: Parameters<typeof answeringServer>[0]): Promise<AnsweringServer> {
  const server = await answeringServer(answer);
  open.push(server);
  return server;
}

function remote(url: string, options: Partial<RemoteOptions> = {}, circuit?: Circuit): SubgraphExecutor {
  const executor = remoteExecutor({ name: 'costs', url, retries: 0, ...options }, circuit);
  open.push(executor);
  return executor;
}

const request = (more: Partial<ExecRequest> = {}): ExecRequest => ({
  document: parse('query Q($n: Int) { value(n: $n) }'),
  variables: { n: 1 },
  operationType: 'query',
  context: { headers: {}, principalKey: 'a' },
  ...more,
});

const ask = async (executor: SubgraphExecutor, more: Partial<ExecRequest> = {}) =>
  (await executor.execute(request(more))) as ExecutionResult;

describe('a remote subgraph', () => {
  it('is asked by POST with JSON, over kept-alive connections', async () => {
    const server = await serverAnswering((_, response) => json(response, { data: { value: 7 } }));
    const executor = remote(server.url);
    expect(await ask(executor)).toEqual({ data: { value: 7 } });
    expect(await ask(executor, { variables: { n: 2 } })).toEqual({ data: { value: 7 } });
    expect(server.requests.map(({ body }) => body.variables)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(server.requests[0]?.headers['content-type']).toBe('application/json');
    for (let n = 3; n < 10; n++) await ask(executor, { variables: { n } });
    // Not always the first: a connection may still be finishing when the next request goes out.
    expect(server.connections.size).toBeLessThanOrEqual(2);
  });

  it('receives only the headers on the list, and the configured ones win', async () => {
    const server = await serverAnswering((_, response) => json(response, { data: {} }));
    const executor = remote(server.url, { forwardHeaders: ['authorization', 'x-team'], headers: { 'x-team': 'ours' } });
    const headers = { authorization: 'Bearer t', cookie: 'secret=1', 'x-team': 'theirs' };
    await ask(executor, { context: { headers, principalKey: 'a' } });
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Bearer t', 'x-team': 'ours' });
    expect(server.requests[0]?.headers.cookie).toBeUndefined();
  });

  it('returns only the headers on its list, to each who asks', async () => {
    const server = await serverAnswering((_, response) => {
      response.setHeader('x-cost', '3').setHeader('x-internal', 'no').setHeader('set-cookie', ['a=1', 'b=2']);
      json(response, { data: {} });
    });
    const executor = remote(server.url, { returnHeaders: ['X-Cost', 'set-cookie'] });
    const asked = () => {
      const got: Record<string, unknown> = {};
      const returnHeader = (name: string, value: unknown) => void Object.assign(got, { [name]: value });
      return ask(executor, { context: { headers: {}, principalKey: 'a', returnHeader } }).then(() => got);
    };
    const wanted = { 'x-cost': '3', 'set-cookie': ['a=1', 'b=2'] };
    expect(await Promise.all([asked(), asked()])).toEqual([wanted, wanted]);
    expect(() => remote(server.url, { returnHeaders: ['Content-Length'] })).toThrow(/costs\.returnHeaders/);
  });

  it('cannot be configured to forward headers of the connection, or to a URL that is not http', () => {
    const options = { name: 'costs', url: 'http://127.0.0.1:1/' };
    expect(() => remoteExecutor({ ...options, forwardHeaders: ['Content-Length'] })).toThrow(
      /SUBGRAPHS\.costs\.forwardHeaders/,
    );
    expect(() => remoteExecutor({ ...options, url: 'ftp://127.0.0.1/' })).toThrow(/SUBGRAPHS\.costs\.url/);
    expect(() => remoteExecutor({ ...options, subscriptionsUrl: 'nonsense' })).toThrow(/subscriptionsUrl/);
    expect(() => remoteExecutor({ ...options, timeoutMs: -1 })).toThrow(/timeoutMs/);
  });

  it('may answer an error status with a GraphQL response', async () => {
    const server = await serverAnswering((_, response) => json(response, { errors: [{ message: 'no' }] }, 400));
    const { errors, data } = await ask(remote(server.url));
    expect(errors?.map(({ message }) => message)).toEqual(['no']);
    expect(data).toBeUndefined();
  });

  it.each<[string, Parameters<typeof answeringServer>[0]]>([
    ['an HTML page', (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hidden word</h1>')],
    ['a plain 500', (_, r) => r.writeHead(500).end('hidden word')],
    ['a redirect', (_, r) => r.writeHead(302, { location: 'http://127.0.0.1:1/hidden word' }).end()],
    ['broken JSON', (_, r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{"data": "hidden word')],
    ['JSON that is no response', (_, r) => json(r, { hidden: 'word' })],
    ['a list', (_, r) => json(r, ['hidden word'])],
    ['data that is no object', (_, r) => json(r, { data: 'hidden word' })],
    ['errors that are no list', (_, r) => json(r, { data: {}, errors: 'hidden word' })],
    [
      'a body that breaks off',
      (_, r) => {
        r.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write(
          '{"data": "hidden word',
        );
        setImmediate(() => r.destroy());
      },
    ],
    ['more bytes than allowed', (_, r) => json(r, { data: { value: 'hidden word'.repeat(1_000) } })],
  ])('that answers %s is an UPSTREAM_INVALID that names it and repeats nothing', async (_, answer) => {
    const server = await serverAnswering(answer);
    const failure = await ask(remote(server.url, { maxResponseBytes: 4_096 })).catch((error) => error);
    expect(failure).toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(failure.message).toContain('"costs"');
    expect(failure.message).not.toContain('hidden');
  });

  it('keeps what is odd about errors out of the response', async () => {
    const odd = [
      { message: 7, path: [{}], extensions: 'x' },
      'text',
      { message: 'told', path: ['value'], locations: 1 },
    ];
    const server = await serverAnswering((_, response) => json(response, { data: null, errors: odd }));
    const { errors } = await ask(remote(server.url));
    expect(errors?.map(({ message, path }) => [message, path])).toEqual([
      ['The subgraph reported an error.', undefined],
      ['The subgraph reported an error.', undefined],
      ['told', ['value']],
    ]);
  });

  it.each<[string, Parameters<typeof answeringServer>[0]]>([
    ['no answer', () => {}],
    ['half an answer', (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{')],
  ])('is given up at its deadline, to a fraction of a second: %s', async (_, answer) => {
    const server = await serverAnswering(answer);
    const begin = performance.now();
    const asked = ask(remote(server.url, { timeoutMs: 200 })).catch((error) => error);
    expect(await endsBefore(700, asked)).toBe(true);
    expect(performance.now() - begin).toBeGreaterThan(190);
    expect(await asked).toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: 'Subgraph "costs" did not answer within 200 ms.',
    });
  });

  it('that nobody listens for is UPSTREAM_UNREACHABLE', async () => {
    const server = await answeringServer(() => {});
    await server.close();
    await expect(ask(remote(server.url))).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
  });

  it('is left when the caller leaves, with the reason of the caller', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const server = await serverAnswering((_, response) => {
      response.on('close', leave);
      resolve();
    });
    const controller = new AbortController();
    const answer = ask(remote(server.url), { signal: controller.signal });
    await arrived;
    controller.abort(new Error('client left'));
    await expect(answer).rejects.toThrow('client left');
    await left;
  });
});

describe('equal queries under way', () => {
  const held = async () => {
    const waiting: (() => void)[] = [];
    const server = await serverAnswering(
      (_, response) => void waiting.push(() => json(response, { data: { value: { n: 1 } } })),
    );
    return { server, release: () => waiting.splice(0).forEach((answer) => void answer()), waiting };
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await delay(2);
  };

  it('are sent once, and everyone gets a copy', async () => {
    const { server, release, waiting } = await held();
    const executor = remote(server.url);
    const answers = [ask(executor), ask(executor), ask(executor)];
    await until(() => waiting.length > 0);
    release();
    const [first, second, third] = await Promise.all(answers);
    expect(server.requests).toHaveLength(1);
    expect(second).toEqual(first);
    expect(second?.data).not.toBe(first?.data);
    expect(third?.data?.value).not.toBe(second?.data?.value);
  });

  it.each<[string, Partial<ExecRequest>]>([
    ['another caller', { context: { headers: {}, principalKey: 'b' } }],
    ['another forwarded header', { context: { headers: { 'x-team': 'other' }, principalKey: 'a' } }],
    ['other variables', { variables: { n: 2 } }],
    ['another text', { document: parse('query Q($n: Int) { other: value(n: $n) }') }],
    ['a mutation', { operationType: 'mutation', document: parse('mutation { value }') }],
  ])('are sent apart for %s', async (_, other) => {
    const { server, release, waiting } = await held();
    const executor = remote(server.url, { forwardHeaders: ['x-team'] });
    const answers = [ask(executor, other.operationType ? other : {}), ask(executor, other)];
    await until(() => waiting.length === 2);
    release();
    await Promise.all(answers);
    expect(server.requests).toHaveLength(2);
  });

  it('go on while one of their readers is left', async () => {
    const { server, release, waiting } = await held();
    const executor = remote(server.url);
    const controller = new AbortController();
    const leaving = ask(executor, { signal: controller.signal });
    const staying = ask(executor);
    await until(() => waiting.length > 0);
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    release();
    expect(await staying).toEqual({ data: { value: { n: 1 } } });
    expect(server.requests).toHaveLength(1);
  });
});

describe('a subgraph that fails', () => {
  it('is asked again for a query, never for a mutation', async () => {
    let calls = 0;
    const server = await serverAnswering((_, response) => {
      if (++calls % 2 === 1) response.socket?.destroy();
      else json(response, { data: { value: 1 } });
    });
    const executor = remote(server.url, { retries: 1, retryDelayMs: 1 });
    expect(await ask(executor)).toEqual({ data: { value: 1 } });
    expect(calls).toBe(2);
    const mutation = ask(executor, { operationType: 'mutation', document: parse('mutation { value }') });
    await expect(mutation).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(calls).toBe(3);
  });

  it('is not asked for a while after several failures in a row, then tried by one request', async () => {
    let healthy = false;
    let time = 0;
    const server = await serverAnswering((_, response) =>
      healthy ? json(response, { data: { value: 1 } }) : response.socket?.destroy(),
    );
    const executor = remote(server.url, { breakAfter: 3, breakForMs: 1_000, now: () => time });
    for (let i = 0; i < 5; i++) await expect(ask(executor)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(server.requests).toHaveLength(3);
    healthy = true;
    await expect(ask(executor)).rejects.toThrow('is not answering');
    time = 1_001;
    expect(await ask(executor)).toEqual({ data: { value: 1 } });
    expect(await ask(executor)).toEqual({ data: { value: 1 } });
    expect(server.requests).toHaveLength(5);
  });

  it('is known to be down, and to be back, to the graphs that follow one another', async () => {
    let healthy = false;
    let time = 0;
    const server = await serverAnswering((_, response) =>
      healthy ? json(response, { data: { value: 1 } }) : response.socket?.destroy(),
    );
    const circuits = new Circuits();
    const [older, newer] = [0, 1].map(() =>
      remote(server.url, { breakAfter: 2, breakForMs: 1_000, now: () => time }, circuits.of(server.url)),
    );
    for (let i = 0; i < 2; i++) await expect(ask(older!)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    await expect(ask(newer!)).rejects.toThrow('is not answering');
    expect(server.requests).toHaveLength(2);
    time = 1_001;
    await expect(ask(older!)).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    healthy = true;
    time = 2_002;
    expect(await ask(newer!)).toEqual({ data: { value: 1 } });
    expect(await ask(older!)).toEqual({ data: { value: 1 } });
  });
});
