import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRegistryCore } from '../../src/app/core.ts';
import { LOCAL_USER, type Principal, type Scope } from '../../src/auth/principal.ts';
import { readConfig } from '../../src/config.ts';
import type { Database } from '../../src/database/database.ts';
import { newId } from '../../src/database/ids.ts';
import { createLog } from '../../src/log.ts';
import { cardV1 } from '../support/card-server.ts';
import { describeOnDrivers } from '../support/database.ts';

const ADMIN = LOCAL_USER;
const user = (...scopes: Scope[]): Principal => ({ subject: newId(), anonymous: false, scopes: new Set(scopes) });
const SEED_OWNER = '11111111-1111-4111-8111-111111111111';

const registryOn = (database: Database) =>
  createRegistryCore(readConfig({ DATABASE_URL: 'memory://' }), database, createLog('silent'), () => ({
    publicUrl: 'http://localhost/',
    auth: 'none',
  })).registry;
type Registry = ReturnType<typeof registryOn>;

async function exported(registry: Registry, principal: Principal = ADMIN, first = 200): Promise<Record<string, any>[]> {
  const all: Record<string, any>[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Registry['exportRecords']>> = await registry.exportRecords(principal, {
      first,
      after,
    });
    all.push(...page.records);
    after = page.next;
  } while (after !== null);
  return all;
}

const agent = (handle: string, more: Record<string, unknown> = {}) => ({
  kind: 'agent',
  handle,
  name: handle,
  executionType: 'api',
  ...more,
});

function card() {
  const body = Buffer.from(JSON.stringify(cardV1()));
  return {
    url: 'https://weather.example/.well-known/agent-card.json',
    body: body.toString('base64'),
    digest: createHash('sha256').update(body).digest('hex'),
    etag: '"1"',
    fetchedAt: '2026-01-31T10:20:30.123Z',
  };
}

/** One agent with something in every field that a record has. */
const RICH = agent('weather', {
  id: newId(),
  owner: SEED_OWNER,
  description: 'Zeilen\nmit \u2028 Umlauten: äöü 🌦',
  version: '2.1',
  type: 'multimodal',
  executionType: 'flyte',
  status: 'deprecated',
  visibility: 'private',
  url: 'https://weather.example/rpc',
  inputModes: ['text/plain', 'image/png'],
  outputModes: ['application/json'],
  capabilities: ['forecasts'],
  interfaces: [
    { url: 'https://weather.example/rpc', binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0', tenant: 't' },
  ],
  extensions: [{ uri: 'https://ext.example/1', required: true, params: { z: 1, a: [null, { b: 2.5 }] } }],
  documentationUrl: 'https://weather.example/docs',
  iconUrl: 'https://weather.example/icon',
  provider: { name: 'Sky', url: 'https://sky.example/' },
  authenticationType: 'apiKey',
  streaming: true,
  pushNotifications: true,
  stateTransitionHistory: true,
  retrySafe: true,
  flyteName: 'weather-flyte',
  isSync: true,
  taskCategories: [
    { name: 'spark', version: 1 },
    { name: 'forecast', version: 0 },
  ],
  deployments: [
    {
      id: newId(),
      endpoint: 'spark.internal:8000',
      tls: false,
      generation: 1,
      weight: 90,
      draining: true,
      timeouts: { getTask: 500, createTask: 30_000 },
      createdAt: '2025-03-03T03:03:03.333Z',
    },
    { endpoint: '[fd00::1]:443', generation: 2 },
  ],
  skills: [
    { id: newId(), key: 'z-last', name: 'Z', tags: ['b', 'a'], examples: ['one', 'two'], inputModes: ['text/plain'] },
    { key: 'a-first', name: 'A', createdAt: '2025-05-05T05:05:05.555Z' },
  ],
  card: card(),
  createdAt: '2025-01-02T03:04:05.678Z',
  updatedAt: '2025-02-03T04:05:06.789+01:00',
});

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

  test('deployments that are wrong, or of another agent, are problems with their field', async () => {
    const registry = registryOn(await open());
    await registry.loadRecords(ADMIN, [RICH]);
    const problem = async (...deployments: object[]) =>
      (await registry.loadRecords(ADMIN, [agent('other', { deployments })])).problems.map(({ field }) => field);
    expect(await problem({ endpoint: 'http://x' })).toEqual(['agent.deployments[0].endpoint']);
    expect(await problem({ endpoint: 'x:1' }, { endpoint: 'X:1' })).toEqual(['agent.deployments[1].endpoint']);
    expect(await problem({ endpoint: 'x:1', weight: 'all' })).toEqual(['agent.deployments[0].weight']);
    const { id } = (RICH as any).deployments[0];
    expect(await problem({ endpoint: 'x:1' }, { id, endpoint: 'y:1' })).toEqual(['agent.deployments[1].id']);
    expect((await registry.agentByHandle(ADMIN, 'other')) ?? null).toBeNull();
  });

  test('names that others hold are problems with their field, or skipped', async () => {
    const registry = registryOn(await open());
    const skillId = newId();
    const flyte = { flyteName: 'f', taskCategories: [{ name: 'c', version: 1 }] };
    await registry.loadRecords(ADMIN, [agent('holder', { ...flyte, skills: [{ id: skillId, key: 'k', name: 'K' }] })]);
    const takers = [
      agent('a', { flyteName: 'f' }),
      agent('b', { flyteName: 'g', taskCategories: [{ name: 'c', version: 1 }] }),
      agent('c', { skills: [{ id: skillId, key: 'k', name: 'K' }] }),
    ];
    for (const onConflict of ['fail', 'update'] as const) {
      const { problems } = await registry.loadRecords(ADMIN, takers, { onConflict });
      expect(problems.map((p) => [p.index, p.field])).toEqual([
        [0, 'agent.flyteName'],
        [1, 'agent.taskCategories[0]'],
        [2, 'agent.skills[0].id'],
      ]);
    }
    expect(await registry.loadRecords(ADMIN, takers, { onConflict: 'skip' })).toMatchObject({ skipped: 3 });
    expect(
      (await registry.loadRecords(ADMIN, [agent('d', { taskCategories: [{ name: 'x' }] })])).problems[0]!.field,
    ).toBe('agent.flyteName');
  });

  test('records of one list that stand for the same thing meet one another', async () => {
    const registry = registryOn(await open());
    const twice = [agent('same', { description: '1' }), agent('other'), agent('same', { description: '2' })];
    expect((await registry.loadRecords(ADMIN, twice)).problems).toEqual([
      { index: 2, field: 'agent.handle', message: 'is also in record 2 before this one' },
    ]);
    expect(await registry.loadRecords(ADMIN, twice, { onConflict: 'skip' })).toMatchObject({ created: 2, skipped: 1 });
    expect((await registry.agentByHandle(ADMIN, 'same'))!.description).toBe('1');
    expect(await registry.loadRecords(ADMIN, twice, { onConflict: 'update' })).toMatchObject({
      unchanged: 2,
      updated: 1,
    });
    expect((await registry.agentByHandle(ADMIN, 'same'))!.description).toBe('2');
    const exchanged = (await exported(registry)).map((r) => ({
      ...r,
      handle: r['handle'] === 'same' ? 'other' : 'same',
    }));
    await expect(registry.loadRecords(ADMIN, exchanged, { onConflict: 'update' })).resolves.toMatchObject({
      problems: [{ field: 'agent.handle' }, { field: 'agent.handle' }],
    });
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

  test('every wrong record is told with its place and field, and nothing is written', async () => {
    const registry = registryOn(await open());
    const { problems } = await registry.loadRecords(ADMIN, [
      agent('fine'),
      null,
      { kind: 'task' },
      agent('Not A Handle'),
      agent('x', {
        skills: [
          { key: 'k', name: 'K' },
          { key: 'k', name: ' ' },
        ],
      }),
      agent('y', { card: { ...card(), digest: 'no' } }),
      agent('z', { card: { ...card(), body: 'bm90IGEgY2FyZA==' } }),
      agent('t', { createdAt: 'yesterday' }),
      { kind: 'agent', name: 'No handle', executionType: 'api' },
    ]);
    expect(problems.map(({ index, field }) => [index, field])).toEqual([
      [1, 'kind'],
      [2, 'kind'],
      [3, 'agent.handle'],
      [4, 'agent.skills[1].name'],
      [5, 'agent.card.digest'],
      [6, 'agent.card.digest'],
      [7, 'agent.createdAt'],
      [8, 'agent.handle'],
    ]);
    expect(await exported(registry)).toEqual([]);
  });
});
