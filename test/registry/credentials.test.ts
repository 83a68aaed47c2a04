import { describe, expect, test } from 'vitest';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

describe.each(DRIVERS)('credentials (%s)', (kind) => {
  const shared = sharedRegistry(kind);

  test('credentials go in and never come out: not by reads, history or events', async () => {
    const { registry, agent, published, database } = shared();
    const me = someone();
    const authentication = { type: 'bearer' as const, token: 'planted-secret' };
    const made = await agent(me, { url: 'http://127.0.0.1:9/a', authentication });
    expect(made).toMatchObject({ authenticationType: 'bearer', hasCredentials: true });
    expect(await registry.reachable(me, made.id)).toMatchObject({ authentication });
    await registry.updateAgent(me, made.id, { authentication: { type: 'bearer', token: 'planted-secret-2' } });
    await registry.updateAgent(me, made.id, { authentication: { type: 'none' } });
    const { items } = await registry.historyOfAgent(made.id, {});
    expect(items.flatMap(({ item }) => item.changes).filter((c) => c.field === 'authenticationConfig')).toEqual([
      { field: 'authenticationConfig', before: '(set)', after: '(removed)' },
      { field: 'authenticationConfig', before: '(set)', after: '(changed)' },
    ]);
    const stored = await database.query(
      'select to_jsonb(a) as a from agent a union all select to_jsonb(c) from agent_change c',
    );
    expect(JSON.stringify([made, items, published, stored])).not.toContain('planted-secret');
  });

  test('the same credentials again are no change', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const authentication = { type: 'basic' as const, username: 'u', password: 'p' };
    const made = await agent(me, { url: 'http://127.0.0.1:9/', authentication });
    expect((await registry.updateAgent(me, made.id, { authentication })).revision).toBe(1);
  });

  const jsonRpc = (url: string) => ({ url, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' as const });
  test.each([
    ['another path', { url: 'http://127.0.0.1:9/b' }, true],
    ['another port', { url: 'http://127.0.0.1:10/a' }, false],
    ['another scheme', { url: 'https://127.0.0.1:9/a' }, false],
    ['no url', { url: null }, false],
    [
      'another port, with credentials for it',
      { url: 'http://127.0.0.1:10/a', authentication: { type: 'bearer' as const, token: 'n' } },
      true,
    ],
  ])('credentials after a change to %s', async (_what, patch, kept) => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, { url: 'http://127.0.0.1:9/a', authentication: { type: 'bearer', token: 't' } });
    expect((await registry.updateAgent(me, made.id, patch)).hasCredentials).toBe(kept);
  });

  test('credentials of an agent without a url follow its interfaces, and go when one of another origin comes', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, {
      executionType: 'a2a',
      interfaces: [jsonRpc('http://127.0.0.1:9/a')],
      authentication: { type: 'bearer', token: 't' },
    });
    const same = await registry.updateAgent(me, made.id, { interfaces: [jsonRpc('http://127.0.0.1:9/b')] });
    expect(same.hasCredentials).toBe(true);
    const other = await registry.updateAgent(me, made.id, { interfaces: [jsonRpc('http://127.0.0.1:10/b')] });
    expect(other.hasCredentials).toBe(false);
  });
});
