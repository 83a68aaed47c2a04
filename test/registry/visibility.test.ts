import { beforeAll, describe, expect, test } from 'vitest';
import { ANONYMOUS, type Principal } from '../../src/auth/principal.ts';
import type { Agent } from '../../src/registry/model.ts';
import { isVisible } from '../../src/registry/visibility.ts';
import { VISIBILITIES } from '../../src/registry/words.ts';
import { DRIVERS } from '../support/database.ts';
import { anAdmin, sharedRegistry, someone } from '../support/registry.ts';

const OWNER = someone();
const STRANGER = someone();
const ADMIN = anAdmin();

/** Who sees what of the owner's agents. */
const SEES: readonly [who: string, Principal, readonly string[]][] = [
  ['the owner', OWNER, ['public', 'internal', 'private']],
  ['another tenant', STRANGER, ['public', 'internal']],
  ['an anonymous caller', ANONYMOUS, ['public']],
  ['an admin', ADMIN, ['public', 'internal', 'private']],
];

describe.each(DRIVERS)('visibility (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const agents: Agent[] = [];

  beforeAll(async () => {
    for (const visibility of VISIBILITIES)
      agents.push(
        await shared().agent(OWNER, {
          name: `Seen ${visibility}`,
          handle: `seen-${visibility}`,
          visibility,
          skills: [{ key: `key-${visibility}`, name: 'Look', tags: ['looking'] }],
        }),
      );
    await shared().agent(STRANGER, {
      name: 'Seen elsewhere',
      visibility: 'private',
      skills: [{ key: 'x', name: 'X', tags: ['looking'] }],
    });
    for (const { id } of agents) shared().registry.usage.record(id, false);
    await shared().registry.usage.flush();
  });

  describe.each(SEES)('%s', (_who, caller, seen) => {
    const request = { filter: { owner: OWNER.subject } };
    const names = (list: readonly (Agent | undefined)[]) => list.map((a) => a?.visibility);
    const expected = VISIBILITIES.map((v) => (seen.includes(v) ? v : undefined));
    const sorted = [...seen].sort();

    test('by id', async () => {
      expect(
        names(
          await shared().registry.agentsById(
            caller,
            agents.map((a) => a.id),
          ),
        ),
      ).toEqual(expected);
      for (const agent of agents) {
        const one = shared().registry.agent(caller, agent.id);
        if (seen.includes(agent.visibility)) expect((await one).id).toBe(agent.id);
        else await expect(one).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
        expect(isVisible(caller, agent)).toBe(seen.includes(agent.visibility));
      }
    });

    test('by handle', async () => {
      const { registry } = shared();
      expect(names(await Promise.all(agents.map((a) => registry.agentByHandle(caller, a.handle))))).toEqual(expected);
    });

    test.each(['id', 'name', 'updatedAt', 'lastUsedAt'] as const)('in a list by %s', async (field) => {
      const { items } = await shared().registry.listAgents(caller, {
        ...request,
        orderBy: { field, descending: false },
      });
      expect(items.map(({ item }) => item.visibility).sort()).toEqual(sorted);
    });

    test('in a search, its total and its facets', async () => {
      const { registry } = shared();
      const search = { ...request, search: 'seen looking' };
      expect((await registry.listAgents(caller, search)).items.map(({ item }) => item.visibility).sort()).toEqual(
        sorted,
      );
      expect(await registry.countAgents(caller, search)).toEqual({ value: seen.length, exact: true });
      const facets = await registry.facets(caller, search, ['skillKey', 'tag']);
      expect(facets.get('skillKey')!.map((f) => f.value)).toEqual(sorted.map((v) => `key-${v}`));
      expect(facets.get('tag')).toEqual([{ value: 'looking', count: { value: seen.length, exact: true } }]);
    });

    test('by skills', async () => {
      const { registry } = shared();
      const skills = (await registry.skillsOfAgents(agents.map((a) => a.id))).flat();
      expect(
        (
          await registry.skillsById(
            caller,
            skills.map((s) => s.id),
          )
        ).map((s) => s !== undefined),
      ).toEqual(expected.map((v) => v !== undefined));
      const { items } = await registry.listSkills(caller, { filter: { tag: 'looking' } });
      const own = items.filter(({ item }) => item.key !== 'x');
      expect(own.map(({ item }) => item.key).sort()).toEqual(sorted.map((v) => `key-${v}`));
      expect(items.length - own.length).toBe(caller === STRANGER || caller === ADMIN ? 1 : 0);
    });

    test('a hidden agent cannot be told from none when it is changed', async () => {
      for (const agent of agents.filter((a) => !seen.includes(a.visibility) && !caller.anonymous))
        await expect(shared().registry.deleteAgent(caller, agent.id)).rejects.toThrow(
          expect.objectContaining({ code: 'NOT_FOUND' }),
        );
    });
  });
});
