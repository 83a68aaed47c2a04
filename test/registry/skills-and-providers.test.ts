import { describe, expect, test } from 'vitest';
import { newId } from '../../src/database/ids.ts';
import { replaceSkills } from '../../src/registry/skills.ts';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

const error = (code: string, more: object = {}) => expect.objectContaining({ name: 'RollcallError', code, ...more });

describe.each(DRIVERS)('skills (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const keysOf = async (id: string) => (await shared().registry.skillsOfAgents([id]))[0]!.map((s) => s.key);

  test('are added at the end, changed and removed, each a change of the agent', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, { skills: [{ key: 'z', name: 'Z' }] });
    const { id } = await registry.addSkill(me, made.id, { key: 'a', name: 'A', tags: ['t'] }, 1);
    expect(await keysOf(made.id)).toEqual(['z', 'a']);
    await registry.updateSkill(me, id, { key: 'b', tags: ['t', 'u'] }, 2);
    const [skill] = await registry.skillsById(me, [id]);
    expect(skill).toMatchObject({ agentId: made.id, key: 'b', name: 'A', tags: ['t', 'u'] });
    expect(
      (await registry.listAgents(me, { filter: { owner: me.subject, skillKey: 'b', tag: 'u' } })).items,
    ).toHaveLength(1);
    await registry.removeSkill(me, id, 3);
    expect(await keysOf(made.id)).toEqual(['z']);
    expect((await registry.listAgents(me, { filter: { owner: me.subject, tag: 'u' } })).items).toEqual([]);
    expect((await registry.agent(me, made.id)).revision).toBe(4);
    const { items } = await registry.historyOfAgent(made.id, {});
    expect(items.map(({ item }) => [item.action, item.changes[0]?.field])).toEqual([
      ['skillRemoved', 'skills.b'],
      ['skillUpdated', 'skills.a.key'],
      ['skillAdded', 'skills.a'],
      ['registered', undefined],
    ]);
  });

  test('a key that the agent has is refused, another agent may have it', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, {
      skills: [
        { key: 'a', name: 'A' },
        { key: 'b', name: 'B' },
      ],
    });
    const taken = error('ALREADY_EXISTS', { field: 'input.key' });
    await expect(registry.addSkill(me, made.id, { key: 'a', name: 'x' })).rejects.toThrow(taken);
    const b = (await registry.skillsOfAgents([made.id]))[0]![1]!;
    await expect(registry.updateSkill(me, b.id, { key: 'a' })).rejects.toThrow(taken);
    expect((await registry.agent(me, made.id)).revision).toBe(1);
    await agent(me, { skills: [{ key: 'a', name: 'A' }] });
  });

  test('of a stranger are not changed, of a hidden agent are not there', async () => {
    const { registry, agent } = shared();
    const [me, stranger] = [someone(), someone()];
    const skills = [{ key: 'k', name: 'K' }];
    const seen = await agent(me, { skills });
    const hidden = await agent(me, { skills, visibility: 'private' });
    const [a, b] = (await registry.skillsOfAgents([seen.id, hidden.id])).map((skills) => skills[0]);
    await expect(registry.updateSkill(stranger, a!.id, { name: 'x' })).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.removeSkill(stranger, b!.id)).rejects.toThrow(error('NOT_FOUND'));
    await expect(registry.removeSkill(me, 'x')).rejects.toThrow(error('NOT_FOUND'));
  });

  test('are replaced by key: order, changes and what is gone; the same again is no change', async () => {
    const { registry, agent, database } = shared();
    const me = someone();
    const made = await agent(me, {
      skills: [
        { key: 'a', name: 'A' },
        { key: 'b', name: 'B' },
        { key: 'c', name: 'C' },
      ],
    });
    const before = (await registry.skillsOfAgents([made.id]))[0]!;
    const wanted = [
      { key: 'd', name: 'D' },
      { key: 'c', name: 'C' },
      { key: 'a', name: 'A2', tags: ['NULL'] },
    ];
    const changes = await database.transaction((tx) => replaceSkills(tx, made.id, wanted));
    expect(changes.map((c) => c.field)).toEqual(['skills.d', 'skills.a', 'skills.b']);
    const after = (await registry.skillsOfAgents([made.id]))[0]!;
    expect(after.map((s) => [s.key, s.name])).toEqual([
      ['d', 'D'],
      ['c', 'C'],
      ['a', 'A2'],
    ]);
    expect(after[2]!.id).toBe(before[0]!.id);
    expect(await database.transaction((tx) => replaceSkills(tx, made.id, wanted))).toEqual([]);
  });

  test('are listed by name over all agents that the caller sees, in pages', async () => {
    const { registry, agent } = shared();
    const [me, tag] = [someone(), newId()];
    for (let i = 0; i < 7; i++)
      await agent(me, {
        visibility: i === 6 ? 'private' : 'internal',
        skills: [{ key: `k${i}`, name: i < 3 ? 'Same' : `N${i}`, tags: [tag] }],
      });
    const walk = async (principal = me) => {
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page = await registry.listSkills(principal, { filter: { tag }, first: 2, after });
        seen.push(...page.items.map(({ item }) => item.name));
        after = page.hasNextPage ? page.items.at(-1)!.cursor : null;
      } while (after !== null);
      return seen;
    };
    expect(await walk()).toEqual(['N3', 'N4', 'N5', 'N6', 'Same', 'Same', 'Same']);
    expect(await walk(someone())).toEqual(['N3', 'N4', 'N5', 'Same', 'Same', 'Same']);
    await expect(registry.listSkills(me, { filter: { key: 'a\0' } })).rejects.toThrow(
      error('INVALID_INPUT', { field: 'filter.key' }),
    );
    await expect(registry.listSkills(me, { filter: { agentId: 'x' } })).rejects.toThrow(error('INVALID_INPUT'));
  });
});

describe.each(DRIVERS)('providers (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const unique = (name: string) => `${name} ${newId()}`;

  test.each(['Acme', 'ÉCOLE d’été', 'Große', '東京'])(
    'named inline, %s is one provider, however many name it',
    async (word) => {
      const { agent } = shared();
      const me = someone();
      const provider = { name: unique(word), url: 'https://p.example/' };
      const made = await Promise.all(Array.from({ length: 4 }, () => agent(me, { provider })));
      const again = await agent(someone(), { provider: { ...provider, name: ` ${provider.name}` } });
      expect(new Set([...made, again].map((a) => a.provider?.id)).size).toBe(1);
      expect(again.provider).toMatchObject({ name: provider.name, owner: me.subject });
      const other = await agent(me, { provider: { name: provider.name } });
      expect(other.provider?.id).not.toBe(again.provider?.id);
    },
  );

  test('are registered once: the second is told the id of the first', async () => {
    const { registry } = shared();
    const me = someone();
    const name = unique('ÉCOLE Acme');
    const { id } = await registry.registerProvider(me, { name, url: 'https://p.example' });
    await expect(
      registry.registerProvider(someone(), { name: name.replace('Acme', 'ACME'), url: 'https://p.example' }),
    ).rejects.toThrow(error('ALREADY_EXISTS', { field: 'input.name', details: { id } }));
    const { id: other } = await registry.registerProvider(me, { name });
    await expect(registry.updateProvider(me, other, { url: 'https://p.example' })).rejects.toThrow(
      error('ALREADY_EXISTS'),
    );
  });

  test('are changed by their owner, with the revision they read', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const { id } = await registry.registerProvider(me, { name: unique('P') });
    const made = await agent(me, { providerId: id });
    await registry.updateProvider(me, id, { url: 'https://new.example' }, 1);
    await expect(registry.updateProvider(me, id, { url: null }, 1)).rejects.toThrow(error('STALE_REVISION'));
    await expect(registry.updateProvider(someone(), id, { url: null })).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.updateProvider(me, newId(), { url: null })).rejects.toThrow(error('NOT_FOUND'));
    expect((await registry.agent(me, made.id)).provider).toMatchObject({ url: 'https://new.example', revision: 2 });
    expect((await registry.providersById(me, [id, 'x']))[1]).toBeUndefined();
  });

  test('with agents are not deleted; without, they are, and agents deleted before stay readable in history', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const { id } = await registry.registerProvider(me, { name: unique('P') });
    const made = await agent(me, { providerId: id });
    await expect(registry.deleteProvider(me, id)).rejects.toThrow(
      error('FAILED_PRECONDITION', { details: { agents: 1 } }),
    );
    await registry.deleteAgent(me, made.id);
    await registry.deleteProvider(me, id);
    await expect(registry.deleteProvider(me, id)).rejects.toThrow(error('NOT_FOUND'));
    expect((await registry.historyOfAgent(made.id, {})).items).toHaveLength(2);
    await expect(agent(me, { providerId: id })).rejects.toThrow(error('INVALID_INPUT', { field: 'input.providerId' }));
  });

  test('deleting one while agents take it either refuses or leaves no agent behind', async () => {
    const { registry, agent } = shared();
    const me = someone();
    for (let i = 0; i < 5; i++) {
      const { id } = await registry.registerProvider(me, { name: unique('P') });
      const [made, gone] = await Promise.allSettled([agent(me, { providerId: id }), registry.deleteProvider(me, id)]);
      if (made.status === 'rejected')
        expect(made.reason).toMatchObject({ code: 'INVALID_INPUT', field: 'input.providerId' });
      if (gone.status === 'rejected') expect(gone.reason).toMatchObject({ code: 'FAILED_PRECONDITION' });
      expect(made.status).not.toBe(gone.status);
    }
  });

  test('are found by a part of their name, in any case and alphabet, in pages by name', async () => {
    const { registry } = shared();
    const me = someone();
    const mark = newId();
    for (const name of ['Ärzte', 'Bäcker', 'Ärzte'])
      await registry.registerProvider(me, { name: `${name} ${mark}`, url: `https://${newId()}.example` });
    const walk = async (search: string) => {
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page = await registry.listProviders(me, { search, first: 1, after });
        seen.push(...page.items.map(({ item }) => item.name.slice(0, 2)));
        after = page.hasNextPage ? page.items.at(-1)!.cursor : null;
      } while (after !== null);
      return seen;
    };
    expect(await walk(mark)).toEqual(['Bä', 'Är', 'Är']);
    expect(await walk(`Ärzte ${mark}`)).toEqual(['Är', 'Är']);
    expect(await walk(`äRZTE ${mark}`)).toEqual(['Är', 'Är']);
    expect(await walk(`% ${mark}`)).toEqual([]);
    await expect(registry.listProviders(me, { search: 'a\0' })).rejects.toThrow(
      error('INVALID_INPUT', { field: 'search' }),
    );
  });
});
