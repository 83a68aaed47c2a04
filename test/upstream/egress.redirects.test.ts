import { describe, expect, it } from 'vitest';
import { egressWith, failure, httpServer, names } from './egress-support.ts';

const SECRETS = {
  authorization: 'Bearer t0p',
  cookie: 'session=t0p',
  'X-API-Key': 't0p',
  'X-Tenant-Secret': 't0p',
  'x-harmless': 'stays',
};

/** Two origins that both permit: what one redirects to the other. */
async function twoOrigins(status: number, path = '/end') {
  const target = await httpServer();
  const source = await httpServer((_request, response) => {
    response.writeHead(status, { location: `http://b.test:${target.port}${path}` }).end('moved');
  });
  const egress = egressWith({
    allow: ['a.test', 'b.test'],
    resolve: names({ 'a.test': ['127.0.0.1'], 'b.test': ['127.0.0.1'] }),
  });
  return { egress, target, source, url: `http://a.test:${source.port}/start` };
}

describe('redirects', () => {
  it.each([
    [301, 'GET', 'GET', false],
    [302, 'GET', 'GET', false],
    [301, 'POST', 'GET', false],
    [302, 'POST', 'GET', false],
    [302, 'PUT', 'PUT', true],
    [303, 'POST', 'GET', false],
    [303, 'PUT', 'GET', false],
    [303, 'HEAD', 'HEAD', false],
    [307, 'POST', 'POST', true],
    [308, 'DELETE', 'DELETE', true],
  ] as const)('%i turns %s into %s (with body: %s)', async (status, method, after, withBody) => {
    const { egress, target, url } = await twoOrigins(status);
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const response = await egress.fetch(url, {
      method,
      redirect: 'follow',
      headers: hasBody ? { 'content-type': 'text/plain' } : {},
      ...(hasBody ? { body: 'payload' } : {}),
    });
    expect(response.status).toBe(200);
    expect(response.url).toBe(`http://b.test:${target.port}/end`);
    const [arrived] = target.requests;
    expect(arrived).toMatchObject({ method: after, path: '/end', body: withBody ? 'payload' : '' });
    expect(arrived?.headers['content-type']).toBe(withBody ? 'text/plain' : undefined);
  });

  it('drops every secret on the way to another origin, and keeps the rest', async () => {
    const { egress, source, target, url } = await twoOrigins(307);
    await egress.fetch(url, { headers: SECRETS, sensitiveHeaders: ['X-Tenant-Secret'] });
    expect(source.requests[0]?.headers).toMatchObject({ authorization: 'Bearer t0p', 'x-tenant-secret': 't0p' });
    expect(target.requests[0]?.headers['x-harmless']).toBe('stays');
    expect(JSON.stringify(target.requests)).not.toContain('t0p');
  });

  it('does not give the secrets back when a third redirect returns to the first origin', async () => {
    let home = '';
    const away = await httpServer((_request, response) => void response.writeHead(302, { location: home }).end());
    const first = await httpServer((request, response) => {
      if (request.url === '/start') response.writeHead(302, { location: `${away.url}/` }).end();
      else response.end('home');
    });
    home = `${first.url}/home`;
    await egressWith().fetch(`${first.url}/start`, { headers: SECRETS, sensitiveHeaders: ['x-tenant-secret'] });
    expect(JSON.stringify(first.requests[1])).not.toContain('t0p');
  });

  it('keeps them on the same origin, where a relative location leads', async () => {
    const server = await httpServer((request, response) => {
      if (request.url === '/a/start') response.writeHead(302, { location: '../b?x=1' }).end();
      else response.end('there');
    });
    const response = await egressWith().fetch(`${server.url}/a/start`, { headers: SECRETS });
    expect(response.url).toBe(`${server.url}/b?x=1`);
    expect(server.requests[1]?.headers).toMatchObject({ authorization: 'Bearer t0p', cookie: 'session=t0p' });
  });

  it('gives up after five, a loop included', async () => {
    const server = await httpServer((_request, response) => void response.writeHead(302, { location: '/again' }).end());
    await failure(egressWith().fetch(`${server.url}/`), 'UPSTREAM_INVALID', /redirects more than 5 times/);
    expect(server.requests).toHaveLength(6);
  });

  it('follows five', async () => {
    const server = await httpServer((request, response) => {
      const step = Number(request.url?.slice(1));
      if (step < 5) response.writeHead(302, { location: `/${step + 1}` }).end();
      else response.end('arrived');
    });
    expect((await egressWith().fetch(`${server.url}/0`)).text()).toBe('arrived');
  });

  it('refuses where it is told to, and by itself for anything but GET and HEAD', async () => {
    const { egress, target, url } = await twoOrigins(302);
    const refused = /answered with a redirect \(302\); give the final URL/;
    await failure(egress.fetch(url, { redirect: 'refuse' }), 'UPSTREAM_INVALID', refused);
    await failure(egress.fetch(url, { method: 'POST', body: 'client_secret=t0p' }), 'UPSTREAM_INVALID', refused);
    await failure(egress.stream(url, { redirect: 'refuse' }), 'UPSTREAM_INVALID', refused);
    expect(target.connections()).toBe(0);
  });

  it('re-resolves each hop, and refuses the one whose name points inside', async () => {
    const inside = await httpServer();
    const source = await httpServer((_request, response) => {
      response.writeHead(302, { location: `http://inside.test:${inside.port}/` }).end();
    });
    const egress = egressWith({
      allow: ['a.test'],
      resolve: names({ 'a.test': ['127.0.0.1'], 'inside.test': ['127.0.0.1'] }),
    });
    await failure(
      egress.fetch(`http://a.test:${source.port}/`),
      'EGRESS_DENIED',
      /inside\.test resolves to 127\.0\.0\.1/,
    );
    expect(inside.connections()).toBe(0);
  });

  it('hands back a 3xx that names no location, and a 304', async () => {
    const server = await httpServer(
      (request, response) => void response.writeHead(request.url === '/304' ? 304 : 302).end(),
    );
    expect((await egressWith().fetch(`${server.url}/`)).status).toBe(302);
    expect((await egressWith().fetch(`${server.url}/304`, { etag: '"v1"' })).status).toBe(304);
    expect(server.requests[1]?.headers['if-none-match']).toBe('"v1"');
  });
});
