import { expect, test } from 'vitest';
import { newId } from '../../src/database/ids.ts';
import { describeOnDrivers } from '../support/database.ts';
import { ADMIN, agent, card, exported, RICH, registryOn } from './records.ts';

describeOnDrivers('records that cannot be loaded', (open) => {
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
