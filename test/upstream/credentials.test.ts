import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/upstream/credentials.ts';
import { failure, httpServer } from './egress-support.ts';
import { done, executors, rpcAgent, send, target } from './executor-support.ts';

const tokenServer = (expiresIn?: number) => {
  let issued = 0;
  return httpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    const life = expiresIn === undefined ? {} : { expires_in: expiresIn };
    response.end(JSON.stringify({ access_token: `token-${++issued}`, token_type: 'Bearer', ...life }));
  });
};

describe('credentials', () => {
  it.each<[string, Credentials, Record<string, string | undefined>, string]>([
    ['none', { type: 'none' }, { authorization: undefined }, '/rpc?v=1'],
    ['bearer', { type: 'bearer', token: 'tok' }, { authorization: 'Bearer tok' }, '/rpc?v=1'],
    ['a bearer without a token', { type: 'bearer' }, { authorization: undefined }, '/rpc?v=1'],
    [
      'an API key in a header',
      { type: 'apiKey', in: 'header', name: 'X-Key', value: 'k' },
      { 'x-key': 'k' },
      '/rpc?v=1',
    ],
    [
      'an API key in the query',
      { type: 'apiKey', in: 'query', name: 'key', value: 'a b&c' },
      { authorization: undefined },
      '/rpc?v=1&key=a+b%26c',
    ],
    ['basic', { type: 'basic', username: 'ann', password: 'p:w' }, { authorization: 'Basic YW5uOnA6dw==' }, '/rpc?v=1'],
  ])('of type %s go where they belong', async (_what, credentials, headers, path) => {
    const agent = await rpcAgent(() => done);
    await send(executors(), target({ url: `${agent.url}/rpc?v=1` }, credentials));
    const [request] = agent.requests;
    expect(request!.path).toBe(path);
    for (const [name, value] of Object.entries(headers)) expect(request!.headers[name]).toBe(value);
  });

  it('stay with the origin that they were stored for', async () => {
    const [own, foreign] = [await rpcAgent(() => done), await rpcAgent(() => done)];
    const elsewhere = { url: foreign.url, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' as const };
    for (const credentials of [
      { type: 'bearer', token: 'tok' },
      { type: 'apiKey', in: 'query', name: 'key', value: 'tok' },
      { type: 'apiKey', in: 'header', name: 'X-Key', value: 'tok' },
    ] as const) {
      await send(executors(), target({ url: own.url, interfaces: [elsewhere] }, credentials));
    }
    expect(foreign.requests).toHaveLength(3);
    expect(JSON.stringify(foreign.requests)).not.toContain('tok');
  });

  it('are not carried along by a redirect', async () => {
    const other = await rpcAgent(() => done);
    const agent = await httpServer((_request, response) => void response.writeHead(307, { location: other.url }).end());
    const to = target({ url: agent.url }, { type: 'bearer', token: 'tok' });
    await failure(send(executors(), to), 'UPSTREAM_INVALID', /redirect/);
    expect(other.requests).toHaveLength(0);
  });

  it('of OAuth fetch one token for many calls, and another when it ends', async () => {
    const agent = await rpcAgent(() => done);
    const tokens = await tokenServer(3_600);
    const oauth: Credentials = {
      type: 'oauth2',
      tokenUrl: `${tokens.url}/token`,
      clientId: 'id with space',
      clientSecret: 'se:cret',
      scopes: ['read', 'write'],
    };
    const all = executors();
    const to = target({ url: agent.url }, oauth);
    await Promise.all([send(all, to), send(all, to), send(all, to)]);
    await send(all, to);
    expect(tokens.requests).toHaveLength(1);
    expect(new URLSearchParams(tokens.requests[0]!.body).get('scope')).toBe('read write');
    expect(Buffer.from(tokens.requests[0]!.headers.authorization!.slice(6), 'base64').toString()).toBe(
      'id+with+space:se%3Acret',
    );
    expect(new Set(agent.requests.map((it) => it.headers.authorization))).toEqual(new Set(['Bearer token-1']));
    const short = await tokenServer(1);
    const brief = target({ url: agent.url }, { ...oauth, tokenUrl: short.url });
    await send(all, brief);
    await send(all, brief);
    expect(short.requests).toHaveLength(2);
  });

  it('of OAuth that the agent refuses are fetched anew for the next call', async () => {
    const tokens = await tokenServer(3_600);
    const agent = await rpcAgent((_rpc, request, response) =>
      request.headers.authorization === 'Bearer token-1' ? void response.writeHead(401).end() : done,
    );
    const oauth = { type: 'oauth2', tokenUrl: tokens.url, clientId: 'c', clientSecret: 's', scopes: [] } as const;
    const all = executors();
    const to = target({ url: agent.url }, oauth);
    await failure(send(all, to), 'UPSTREAM_UNAUTHORIZED', /refused/);
    expect(await send(all, to)).toHaveLength(1);
  });

  it('of OAuth that get no token say so without the secret', async () => {
    const agent = await rpcAgent(() => done);
    const tokens = await httpServer(
      (_request, response) => void response.writeHead(400).end('{"error":"invalid_client"}'),
    );
    const oauth = { type: 'oauth2', tokenUrl: tokens.url, clientId: 'c', clientSecret: 'hush', scopes: [] } as const;
    const error = await failure(
      send(executors(), target({ url: agent.url }, oauth)),
      'UPSTREAM_UNAUTHORIZED',
      /gave no token/,
    );
    expect(JSON.stringify(error) + error.message).not.toContain('hush');
    expect(agent.requests).toHaveLength(0);
  });
});
