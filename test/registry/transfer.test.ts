import { expect, test } from 'vitest';
import type { Principal, Scope } from '../../src/auth/principal.ts';
import { newId } from '../../src/database/ids.ts';
import { describeOnDrivers } from '../support/database.ts';
import { ADMIN, agent, exported, RICH, registryOn, SEED_OWNER } from './records.ts';

const user = (...scopes: Scope[]): Principal => ({ subject: newId(), anonymous: false, scopes: new Set(scopes) });

describeOnDrivers('export and load', (open) => {
  test('an export of a loaded registry is the export, whatever the size of its pages', async () => {
    const first = registryOn(await open());
    expect(
      await first.loadRecords(ADMIN, [
        { kind: 'provider', name: 'Unused', owner: SEED_OWNER, createdAt: '2024-01-01T00:00:00.000Z' },
        RICH,
        ...Array.from({ length: 7 }, (_, i) => agent(`plain-${i}`, { provider: { name: 'Sky', url: null } })),
      ]),
    ).toEqual({ created: 9, updated: 0, unchanged: 0, skipped: 0, needCredentials: ['weather'], problems: [] });
    const records = await exported(first);
    expect(records.map((r) => r['kind'])).toEqual([...Array(3).fill('provider'), ...Array(8).fill('agent')]);
    expect(await exported(first, ADMIN, 2)).toEqual(records);

    const second = registryOn(await open());
    expect(await second.loadRecords(ADMIN, records)).toMatchObject({ created: 11, problems: [] });
    expect(JSON.stringify(await exported(second))).toBe(JSON.stringify(records));
    expect(await second.loadRecords(ADMIN, records, { onConflict: 'update' })).toMatchObject({
      created: 0,
      updated: 0,
      unchanged: 11,
    });
    expect(JSON.stringify(await exported(second))).toBe(JSON.stringify(records));
  });

  test('a loaded record keeps what it carries, and is found by search', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [RICH]);
    const [provider, record] = await exported(registry);
    expect(provider).toMatchObject({ name: 'Sky', owner: SEED_OWNER });
    const { card: wanted, skills, provider: _p, updatedAt: _u, taskCategories: _t, deployments, ...rest } = RICH as any;
    expect(record).toMatchObject({ ...rest, updatedAt: '2025-02-03T03:05:06.789Z', card: wanted });
    expect(record!['skills'].map((s: any) => s.key)).toEqual(['z-last', 'a-first']);
    expect(record!['skills'][0].id).toBe(skills[0].id);
    expect(record!['deployments']).toEqual(
      expect.arrayContaining([
        deployments[0],
        {
          id: expect.any(String),
          endpoint: '[fd00::1]:443',
          tls: true,
          generation: 2,
          weight: 1,
          draining: false,
          timeouts: {},
          createdAt: rest.createdAt,
        },
      ]),
    );
    expect(record!['taskCategories']).toEqual([
      { name: 'forecast', version: 0 },
      { name: 'spark', version: 1 },
    ]);
    const found = await registry.listAgents(ADMIN, { search: 'umlauten' });
    expect(found.items.map(({ item }) => item.handle)).toEqual(['weather']);
    expect((await registry.historyOfAgent(record!['id'], {})).items.map(({ item }) => item.action)).toEqual([
      'registered',
    ]);
    expect(
      (await registry.listAgents(ADMIN, { orderBy: { field: 'lastUsedAt', descending: true } })).items,
    ).toHaveLength(1);
  });

  test('what is there fails the load as a whole, is skipped, or is updated', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [{ kind: 'provider', name: 'Acme' }, agent('one', { description: 'old' })]);
    const before = await exported(registry);
    const again = [
      agent('new'),
      { kind: 'provider', name: 'ACME' },
      agent('one', { description: 'new', skills: [{ id: SEED_OWNER, key: 'k', name: 'K' }] }),
    ];

    const failed = await registry.loadRecords(ADMIN, again);
    expect(failed).toMatchObject({ created: 0, updated: 0 });
    expect(failed.problems.map(({ index, field }) => [index, field])).toEqual([
      [1, 'provider.name'],
      [2, 'agent.handle'],
    ]);
    expect(await exported(registry)).toEqual(before);

    expect(await registry.loadRecords(ADMIN, again, { onConflict: 'skip', dryRun: true })).toMatchObject({
      created: 1,
      skipped: 2,
    });
    expect(await exported(registry)).toEqual(before);
    expect(await registry.loadRecords(ADMIN, again, { onConflict: 'update', dryRun: true })).toMatchObject({
      created: 1,
      updated: 2,
    });
    expect(await exported(registry)).toEqual(before);

    expect(await registry.loadRecords(ADMIN, again, { onConflict: 'skip' })).toMatchObject({ created: 1, skipped: 2 });
    expect((await registry.agentByHandle(ADMIN, 'one'))!.description).toBe('old');
    expect(await registry.loadRecords(ADMIN, again, { onConflict: 'update' })).toMatchObject({
      unchanged: 1,
      updated: 2,
    });
    const one = (await registry.agentByHandle(ADMIN, 'one'))!;
    expect(one).toMatchObject({ description: 'new', revision: 2, id: before[1]!['id'] });
    expect((await registry.skillsOfAgents([one.id]))[0]!.map((s) => s.id)).toEqual([SEED_OWNER]);
    const [change] = (await registry.historyOfAgent(one.id, { first: 1 })).items;
    expect(change!.item.changes.map((c) => c.field)).toEqual(['description', 'skills.k']);
  });

  test('the order of skills, a source card and task categories are updated like fields', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [RICH]);
    const [, record] = await exported(registry);
    const id = record!['id'];
    const changed = { ...record, skills: record!['skills'].toReversed(), card: null, taskCategories: [] };
    for (const outcome of [{ updated: 1 }, { unchanged: 1 }])
      expect(await registry.loadRecords(ADMIN, [changed], { onConflict: 'update' })).toMatchObject(outcome);
    expect({ ...(await exported(registry))[1], updatedAt: '' }).toEqual({ ...changed, updatedAt: '' });
    expect((await registry.historyOfAgent(id, { first: 1 })).items[0]!.item.changes.map((c) => c.field)).toEqual([
      'skills',
      'taskCategories',
      'sourceCard',
    ]);
    expect(await registry.loadRecords(ADMIN, [record], { onConflict: 'update' })).toMatchObject({ updated: 1 });
    expect({ ...(await exported(registry))[1], updatedAt: '' }).toEqual({ ...record, updatedAt: '' });
  });

  test('deployments are updated by their endpoint, and stay where a record says nothing of them', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [RICH]);
    const [, record] = await exported(registry);
    const [first, second] = record!['deployments'];
    const changed = {
      ...record,
      deployments: [
        { ...second, weight: 7 },
        { ...first, endpoint: 'moved.internal:8000' },
        { endpoint: 'new.internal:8000' },
      ],
    };
    for (const outcome of [{ updated: 1 }, { unchanged: 1 }])
      expect(await registry.loadRecords(ADMIN, [changed], { onConflict: 'update' })).toMatchObject(outcome);
    const after = (await exported(registry))[1]!['deployments'];
    expect(after).toHaveLength(3);
    expect(after).toEqual(
      expect.arrayContaining([
        { ...second, weight: 7 },
        { ...first, endpoint: 'moved.internal:8000' },
        expect.objectContaining({ endpoint: 'new.internal:8000' }),
      ]),
    );
    const [change] = (await registry.historyOfAgent(record!['id'], { first: 1 })).items;
    expect(JSON.stringify(change)).not.toMatch(/internal:8000/);
    const { deployments: _, ...silent } = record!;
    await registry.loadRecords(ADMIN, [{ ...silent, version: '9' }], { onConflict: 'update' });
    expect((await exported(registry))[1]!['deployments']).toEqual(after);
    await registry.loadRecords(ADMIN, [{ ...record, deployments: [] }], { onConflict: 'update' });
    expect((await exported(registry))[1]!['deployments']).toEqual([]);
    // The old ids come back: jobs that ran there are found again.
    await registry.loadRecords(ADMIN, [record], { onConflict: 'update' });
    expect((await exported(registry))[1]!['deployments'].map((d: any) => d.id).toSorted()).toEqual(
      [first.id, second.id].toSorted(),
    );
  });

  test('a deleted agent comes back with its id', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [RICH]);
    const records = await exported(registry);
    await registry.deleteAgent(ADMIN, records[1]!['id']);
    expect(await exported(registry)).toHaveLength(1);
    expect(await registry.loadRecords(ADMIN, [records[1]])).toMatchObject({ created: 1, problems: [] });
    const [, back] = await exported(registry);
    expect({ ...back, updatedAt: '' }).toEqual({ ...records[1], updatedAt: '' });
  });

  test('credentials are in no export, cannot be loaded, and stay while type and origin do', async () => {
    const registry = registryOn(await open());
    await registry.registerAgent(ADMIN, {
      handle: 'secretive',
      name: 'S',
      executionType: 'api',
      url: 'http://127.0.0.1:9/a',
      authentication: { type: 'bearer', token: 'planted-secret' },
    });
    const records = await exported(registry);
    expect(JSON.stringify(records)).not.toContain('planted-secret');
    expect(records[0]).toMatchObject({ authenticationType: 'bearer' });
    const withSecret = { ...records[0], authentication: { type: 'bearer', token: 'x' } };
    expect((await registry.loadRecords(ADMIN, [withSecret])).problems).toEqual([
      { index: 0, field: 'agent', message: 'unknown field "authentication"' },
    ]);
    const update = (more: object) =>
      registry.loadRecords(ADMIN, [{ ...records[0], ...more }], { onConflict: 'update' });
    expect(await update({ description: 'd', url: 'http://127.0.0.1:9/b' })).toMatchObject({ needCredentials: [] });
    expect((await registry.agentByHandle(ADMIN, 'secretive'))!.hasCredentials).toBe(true);
    expect(await update({ url: 'http://127.0.0.1:10/' })).toMatchObject({ updated: 1, needCredentials: ['secretive'] });
    expect((await registry.agentByHandle(ADMIN, 'secretive'))!.hasCredentials).toBe(false);
  });

  test('an export shows what the caller may see, and loading takes the scope admin', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [
      agent('mine', { visibility: 'private', owner: SEED_OWNER }),
      agent('internal'),
      agent('open', { visibility: 'public' }),
    ]);
    const handles = async (principal: Principal) => (await exported(registry, principal)).map((r) => r['handle']);
    expect(await handles(user('registry:read'))).toEqual(['internal', 'open']);
    expect(await handles({ ...user('registry:read'), subject: SEED_OWNER })).toEqual(['mine', 'internal', 'open']);
    await expect(registry.exportRecords(user('tasks:read'), {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(registry.loadRecords(user('registry:write'), [agent('x')])).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { scope: 'admin' },
    });
    await expect(registry.exportRecords(ADMIN, { after: 'bm9wZQ' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
