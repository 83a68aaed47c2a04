import { beforeEach, describe, expect, it } from 'vitest';
import { ATTACK_NAMES, ATTACKS } from './egress-attacks.ts';
import { egressWith, failure, httpServer, names, sentinels } from './egress-support.ts';

/** What a Location header can carry: the others cannot arrive that way. */
const fitsHeader = (text: string): boolean => /^[\x21-\x7e][\x20-\x7e]*$/.test(text) && !text.endsWith(' ');

describe('a refused URL opens no connection', () => {
  let port: number;
  let reached: () => number;
  beforeEach(async () => {
    ({ port, reached } = await sentinels());
  });

  it('has at least sixty vectors, none twice', () => {
    expect(new Set(ATTACKS.map(({ url }) => url)).size).toBe(ATTACKS.length);
    expect(ATTACKS.length).toBeGreaterThanOrEqual(60);
  });

  it('would notice one: the same URL connects once it is allowed', async () => {
    const egress = egressWith({ allow: ['127.0.0.1'] });
    expect((await egress.fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
    expect(reached()).toBe(1);
  });

  it.each(ATTACKS)('$url as a URL', async ({ url, code, by }) => {
    const egress = egressWith({ allow: [], resolve: names(ATTACK_NAMES) });
    const raw = url.replaceAll('{port}', String(port));
    const refused = await failure(egress.check(raw), code, by);
    await failure(egress.fetch(raw, { headers: { authorization: 'Bearer hidden' } }), code, by);
    await failure(egress.stream(raw), code, by);
    expect(reached()).toBe(0);
    expect(refused.message).not.toMatch(/secret|hidden/);
  });

  const redirectable = ATTACKS.filter(({ url, relative }) => !relative && fitsHeader(url.replaceAll('{port}', '80')));

  it('sends most vectors through a redirect as well', () => {
    expect(redirectable.length).toBeGreaterThanOrEqual(60);
  });

  it.each(redirectable)('$url as the target of a redirect', async ({ url, code, by }) => {
    const location = url.replaceAll('{port}', String(port));
    const entry = await httpServer((_request, response) => void response.writeHead(302, { location }).end());
    const egress = egressWith({
      allow: ['entry.test'],
      resolve: names({ ...ATTACK_NAMES, 'entry.test': ['127.0.0.1'] }),
    });
    const call = egress.fetch(`http://entry.test:${entry.port}/`);
    if (code === 'EGRESS_DENIED') await failure(call, code, by);
    else await failure(call, 'UPSTREAM_INVALID', /redirects to a malformed URL/);
    expect(entry.requests).toHaveLength(1);
    expect(reached()).toBe(0);
  });

  it.each([
    '//127.0.0.1:{port}/',
    '/\\127.0.0.1:{port}/',
    '\\\\127.0.0.1:{port}/',
    '///127.0.0.1:{port}/',
    '/\t/127.0.0.1:{port}/',
  ])('the relative redirect %j that leaves its origin', async (form) => {
    const location = form.replaceAll('{port}', String(port));
    const entry = await httpServer((request, response) => {
      if (request.url === '/start') response.writeHead(307, { location }).end();
      else response.end('still here');
    });
    const egress = egressWith({ allow: ['entry.test'], resolve: names({ 'entry.test': ['127.0.0.1'] }) });
    const call = egress.fetch(`http://entry.test:${entry.port}/start`);
    await failure(call, form.startsWith('//1') ? 'EGRESS_DENIED' : 'UPSTREAM_INVALID');
    expect(reached()).toBe(0);
  });
});
