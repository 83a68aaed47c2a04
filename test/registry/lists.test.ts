import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Principal } from '../../src/auth/principal.ts';
import { newId } from '../../src/database/ids.ts';
import {
  AGENT_ORDERS,
  type AgentListRequest,
  type AgentOrder,
  MOST_CANDIDATES,
} from '../../src/registry/lists/agent-list.ts';
import { encodeCursor } from '../../src/registry/lists/cursor.ts';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';
import { seedAgents } from '../support/seed-agents.ts';

const error = (field: string) => expect.objectContaining({ code: 'INVALID_INPUT', field });

describe.each(DRIVERS)('lists of agents (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const owner = someone();
  const stranger = someone();
  const COUNT = 230;
  const seeded = { owner: owner.subject };

  beforeAll(() => seedAgents(shared().database, owner.subject, COUNT));

  async function walk(principal: Principal, request: AgentListRequest, first: number): Promise<string[]> {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const page = await shared().registry.listAgents(principal, { ...request, first, after });
      expect(page.items.length).toBe(page.hasNextPage ? first : page.items.length);
      ids.push(...page.items.map(({ item }) => item.id));
      after = page.hasNextPage ? page.items.at(-1)!.cursor : null;
    } while (after !== null);
    return ids;
  }

  /** The same order in one statement, written independently. */
  const SORTED: Record<Exclude<AgentOrder['field'], 'relevance'>, string> = {
    id: 'a.id',
    name: 'a.name collate "C"',
    updatedAt: 'a.updated_at',
    lastUsedAt: 'u.last_used_at',
  };

  test('all pages together are the sorted list: every order, direction, page size and caller', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('id', 'name', 'updatedAt', 'lastUsedAt'),
        fc.boolean(),
        fc.integer({ min: 7, max: 200 }),
        fc.boolean(),
        async (field, descending, size, own) => {
          const way = descending ? 'desc' : 'asc';
          const rows = await shared().database.query<{ id: string }>(
            `select a.id from agent a join agent_usage u on u.agent = a.id where a.owner = $1::uuid and (a.visibility <> 'private' or $2::boolean)
             order by ${SORTED[field]} ${way}, a.id ${way}`,
            [owner.subject, own],
          );
          const walked = await walk(own ? owner : stranger, { filter: seeded, orderBy: { field, descending } }, size);
          expect(walked).toEqual(rows.map((r) => r.id));
          expect(new Set(walked).size).toBe(walked.length);
        },
      ),
      { numRuns: 24 },
    );
  });

  test('by relevance, the pages are one list in the order of rank', async () => {
    const request = { filter: seeded, search: 'seeded words 7' };
    const all = await walk(owner, request, 200);
    expect(all.length).toBeGreaterThan(3);
    for (const size of [1, 2, 7]) expect(await walk(owner, request, size)).toEqual(all);
  });

  test('an agent that comes meanwhile does not shift what follows', async () => {
    const { registry, agent } = shared();
    const orderBy = { field: 'name', descending: false } as const;
    const mark = newId();
    const me = someone();
    for (const name of ['b', 'd', 'f']) await agent(me, { name: `${mark}${name}` });
    const filter = { owner: me.subject };
    const page = await registry.listAgents(me, { filter, orderBy, first: 2 });
    await agent(me, { name: `${mark}a` });
    await agent(me, { name: `${mark}e` });
    const next = await registry.listAgents(me, { filter, orderBy, after: page.items[1]!.cursor });
    expect(next.items.map(({ item }) => item.name.slice(-1))).toEqual(['e', 'f']);
  });

  test.each([0, -1, 201, 1.5, Number.NaN])('a page of %s is refused', async (first) => {
    await expect(shared().registry.listAgents(owner, { first })).rejects.toThrow(error('first'));
  });

  test('a cursor of another order or direction is refused, and says which it is of', async () => {
    const { registry } = shared();
    const cursors: Record<string, string> = {};
    for (const field of AGENT_ORDERS)
      for (const descending of field === 'relevance' ? [false] : [false, true]) {
        const request = {
          filter: seeded,
          orderBy: { field, descending },
          ...(field === 'relevance' ? { search: 'seeded' } : {}),
        };
        cursors[`${field} ${descending}`] = (await registry.listAgents(owner, { ...request, first: 1 }))
          .items[0]!.cursor;
      }
    for (const [of, after] of Object.entries(cursors)) {
      const orderBy: AgentOrder = { field: of.startsWith('name') ? 'id' : 'name', descending: false };
      const work = registry.listAgents(owner, { filter: seeded, orderBy, after });
      await expect(work).rejects.toThrow(error('after'));
      await expect(work).rejects.toThrow(of.split(' ')[0]!);
    }
    const backward = registry.listAgents(owner, {
      orderBy: { field: 'name', descending: true },
      after: cursors['name false']!,
    });
    await expect(backward).rejects.toThrow(error('after'));
  });

  const ID = newId();
  test.each<[string, string, AgentOrder['field']]>([
    ['no base64', '%%%', 'id'],
    ['empty', '', 'id'],
    ['no list', Buffer.from('{}').toString('base64url'), 'id'],
    ['a list of numbers', Buffer.from('["id",1,2]').toString('base64url'), 'id'],
    ['too short', encodeCursor('id', [ID]), 'id'],
    ['without an id', encodeCursor('id', ['x', 'y']), 'id'],
    ['dashes for an id', encodeCursor('id', ['-'.repeat(36), '-'.repeat(36)]), 'id'],
    ['a NUL in the name', encodeCursor('name', ['a\0', ID]), 'name'],
    ['no moment', encodeCursor('updatedAt', ['yesterday', ID]), 'updatedAt'],
    ['a day that is not', encodeCursor('updatedAt', ['2026-02-31 00:00:00+00', ID]), 'updatedAt'],
    ['a time that is not', encodeCursor('updatedAt', ['2026-02-01 25:61:00+00', ID]), 'updatedAt'],
    ['a year nought', encodeCursor('updatedAt', ['0000-01-01 00:00:00+00', ID]), 'updatedAt'],
    ['no rank', encodeCursor('relevance', ['NaN', ID]), 'relevance'],
    ['a rank past all', encodeCursor('relevance', ['1e99', ID]), 'relevance'],
    ['a rank below all', encodeCursor('relevance', ['1e-99', ID]), 'relevance'],
  ])('what is no cursor is refused: %s', async (_what, after, field) => {
    const work = shared().registry.listAgents(owner, {
      search: 'seeded',
      orderBy: { field, descending: false },
      after,
    });
    await expect(work).rejects.toThrow(error('after'));
  });

  test('any text at all as a cursor is refused or answers, and never fails inside', async () => {
    const key = fc.oneof(fc.string(), fc.constant(ID), fc.constantFrom('2026-01-01 00:00:00+00', '-infinity', '0.5'));
    const orders = fc.constantFrom(...AGENT_ORDERS);
    await fc.assert(
      fc.asyncProperty(orders, key, key, async (field, a, b) => {
        const after = encodeCursor(field, [a, b]);
        try {
          await shared().registry.listAgents(owner, {
            search: 'seeded',
            orderBy: { field, descending: false },
            first: 1,
            after,
          });
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('totals and facets are exact up to 10,000 agents, and lower bounds past it', async () => {
    const { registry, database } = shared();
    const many = someone();
    await seedAgents(database, many.subject, MOST_CANDIDATES + 5);
    const filter = { owner: many.subject };
    expect(await registry.countAgents(many, { filter })).toEqual({ value: MOST_CANDIDATES, exact: false });
    expect(await registry.countAgents(many, { filter, search: 'seeded' })).toEqual({
      value: MOST_CANDIDATES,
      exact: false,
    });
    expect(await registry.countAgents(many, { filter: { ...filter, capability: 'c3' } })).toEqual({
      value: 6,
      exact: true,
    });
    const facets = await registry.facets(many, { filter }, ['executionType', 'capability']);
    expect(facets.get('executionType')).toEqual([{ value: 'api', count: { value: MOST_CANDIDATES, exact: false } }]);
    expect(facets.get('capability')).toHaveLength(50);
    const narrow = await registry.facets(many, { filter: { ...filter, tag: 'rare' } }, ['tag', 'status', 'provider']);
    expect(narrow.get('tag')).toEqual([{ value: 'rare', count: { value: 5, exact: true } }]);
    expect(narrow.get('status')).toEqual([{ value: 'active', count: { value: 5, exact: true } }]);
    expect(narrow.get('provider')).toEqual([]);
    const ranked = await walk(many, { filter: { ...filter, tag: 'rare' }, search: 'seeded' }, 2);
    expect(ranked).toHaveLength(5);
  });

  test('each filter selects what it says', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const a = await agent(me, {
      name: 'A',
      type: 'image',
      executionType: 'docker',
      visibility: 'private',
      capabilities: ['draw'],
      inputModes: ['text/x-a'],
      outputModes: ['image/x-b'],
      streaming: true,
      flyteName: newId(),
      taskCategories: [{ name: 'paint' }],
      provider: { name: newId() },
      skills: [{ key: 'sketch', name: 'Sketch', tags: ['art'], outputModes: ['image/x-c'] }],
    });
    const b = await agent(me, { name: 'B', status: 'deprecated' });
    const select = async (filter: object): Promise<string> =>
      (await registry.listAgents(me, { filter: { owner: me.subject, ...filter } })).items
        .map(({ item }) => item.name)
        .sort()
        .join('');
    const cases: [object, string][] = [
      [{}, 'AB'],
      [{ ids: [b.id, newId()] }, 'B'],
      [{ ids: [] }, ''],
      [{ skillKey: 'sketch' }, 'A'],
      [{ skillKey: 'ske' }, ''],
      [{ tag: 'art' }, 'A'],
      [{ providerId: a.provider!.id }, 'A'],
      [{ type: 'image' }, 'A'],
      [{ displayType: 'llm' }, 'B'],
      [{ displayType: 'image' }, 'A'],
      [{ status: ['deprecated', 'inactive'] }, 'B'],
      [{ executionType: ['docker'] }, 'A'],
      [{ visibility: ['private'] }, 'A'],
      [{ mode: 'text/x-a' }, 'A'],
      [{ mode: 'image/x-c' }, 'A'],
      [{ inputMode: 'text/x-a' }, 'A'],
      [{ inputMode: 'image/x-b' }, ''],
      [{ outputMode: 'image/x-b' }, 'A'],
      [{ capability: 'draw' }, 'A'],
      [{ streaming: true }, 'A'],
      [{ streaming: false }, 'B'],
      [{ taskCategory: 'paint' }, 'A'],
      [{ hasTaskCategories: true }, 'A'],
      [{ hasTaskCategories: false }, 'B'],
      [{ tag: 'art', status: ['deprecated'] }, ''],
    ];
    for (const [filter, names] of cases) expect([filter, await select(filter)]).toEqual([filter, names]);
    for (const [filter, field] of [
      [{ providerId: 'x' }, 'filter.providerId'],
      [{ ids: ['x'] }, 'filter.ids'],
      [{ tag: 'a\0' }, 'filter.tag'],
      [{ status: ['a\0'] }, 'filter.status'],
    ] as const)
      await expect(registry.listAgents(me, { filter })).rejects.toThrow(error(field));
  });
});
