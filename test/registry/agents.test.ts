import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS } from '../../src/auth/principal.ts';
import { newId } from '../../src/database/ids.ts';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

const error = (code: string, more: object = {}) => expect.objectContaining({ name: 'RollcallError', code, ...more });

describe.each(DRIVERS)('agents (%s)', (kind) => {
  const shared = sharedRegistry(kind);

  test('a registered agent is what was given, with defaults for the rest', async () => {
    const { registry, agent, published } = shared();
    const me = someone();
    const made = await agent(me, {
      name: 'Invoice Reader!',
      type: 'llm',
      url: 'http://127.0.0.1:9/agent',
      skills: [
        { key: 'b', name: 'B' },
        { key: 'a', name: 'A' },
      ],
    });
    expect(made).toMatchObject({
      handle: 'invoice-reader',
      type: 'text',
      status: 'active',
      visibility: 'internal',
      owner: me.subject,
      revision: 1,
      inputModes: ['text/plain'],
      provider: null,
      hasCredentials: false,
    });
    expect(made.createdAt).toEqual(made.updatedAt);
    expect(Math.abs(Date.now() - made.createdAt.getTime())).toBeLessThan(60_000);
    expect((await registry.skillsOfAgents([made.id]))[0]!.map((s) => s.key)).toEqual(['b', 'a']);
    expect(await registry.usageOfAgents([made.id])).toEqual([
      { agentId: made.id, calls: 0, failures: 0, lastUsedAt: null },
    ]);
    expect(published.at(-1)).toMatchObject({ agentId: made.id, action: 'registered', revision: 1 });
  });

  test('texts and lists come back as they went in, whatever is in them', async () => {
    const { agent, registry } = shared();
    const me = someone();
    const word = fc
      .oneof(
        fc.constantFrom('NULL', '{}', '{a,b}', 'a"b', '\\', '\\\\"', "it's", ',', 'a, b', '[]', '$1', '😀'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      )
      .map((s) => s.replace(/[\p{Cc}\u2028\u2029]/gu, '').trim())
      .filter((s) => s !== '' && s.isWellFormed());
    const words = fc.uniqueArray(word, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        words,
        words,
        fc.array(fc.constantFrom('', ' a\n"b" ', '\\', 'NULL')),
        async (capabilities, tags, examples) => {
          const made = await agent(me, { capabilities, skills: [{ key: 'k', name: 'K', tags, examples }] });
          expect(made.capabilities).toEqual(capabilities);
          const skill = (await registry.skillsOfAgents([made.id]))[0]![0];
          expect(skill).toMatchObject({ tags, examples });
          if (capabilities.length > 0) {
            const filter = { owner: me.subject, capability: capabilities[0]! };
            const { items } = await registry.listAgents(me, {
              filter,
              orderBy: { field: 'id', descending: true },
              first: 1,
            });
            expect(items[0]!.item.id).toBe(made.id);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a change raises the revision by one, is published and is in the history', async () => {
    const { registry, agent, published } = shared();
    const me = someone();
    const made = await agent(me, { description: 'old' });
    // Times are told in whole milliseconds.
    while (Date.now() <= made.updatedAt.getTime()) await new Promise((resolve) => setImmediate(resolve));
    const changed = await registry.updateAgent(me, made.id, { description: 'new', capabilities: ['x'] }, 1);
    expect(changed).toMatchObject({ description: 'new', capabilities: ['x'], revision: 2, name: made.name });
    expect(changed.updatedAt.getTime()).toBeGreaterThan(made.updatedAt.getTime());
    expect(published.at(-1)).toMatchObject({ agentId: made.id, action: 'updated', revision: 2 });
    const { items } = await registry.historyOfAgent(made.id, {});
    expect(items.map(({ item }) => [item.action, item.revision, item.actor])).toEqual([
      ['updated', 2, me.subject],
      ['registered', 1, me.subject],
    ]);
    expect(items[0]!.item.changes).toEqual([
      { field: 'description', before: 'old', after: 'new' },
      { field: 'capabilities', before: [], after: ['x'] },
    ]);
  });

  test('the history is paged, newest first, and refuses what is no cursor of it', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me);
    for (let i = 0; i < 6; i++) await registry.updateAgent(me, made.id, { description: `${i}` });
    const seen: number[] = [];
    let after: string | null = null;
    do {
      const page = await registry.historyOfAgent(made.id, { first: 3, after });
      seen.push(...page.items.map(({ item }) => item.revision));
      after = page.hasNextPage ? page.items.at(-1)!.cursor : null;
    } while (after !== null);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    await expect(registry.historyOfAgent(made.id, { after: 'x' })).rejects.toThrow(error('INVALID_INPUT'));
  });

  test('changes within one tick of the clock are changes of their own', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me);
    const many = Array.from({ length: 8 }, (_, i) => registry.updateAgent(me, made.id, { description: `d${i}` }));
    await Promise.all(many);
    expect((await registry.agent(me, made.id)).revision).toBe(9);
    const { items } = await registry.historyOfAgent(made.id, {});
    expect(items.map(({ item }) => item.revision).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('a change that changes nothing writes and publishes nothing', async () => {
    const { registry, agent, published } = shared();
    const me = someone();
    const extensions = [{ uri: 'urn:x', required: true, params: { zebra: 1, a: { long: 1, b: 2 } } }];
    const made = await agent(me, { extensions, capabilities: ['x'] });
    const before = published.length;
    const same = await registry.updateAgent(me, made.id, { name: made.name, capabilities: ['x'], extensions });
    expect(same).toEqual(made);
    await registry.setAgentStatus(me, made.id, 'active');
    expect((await registry.agent(me, made.id)).revision).toBe(1);
    expect(published.length).toBe(before);
  });

  test('a stale revision is refused with the present one, and nothing changes', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me);
    await registry.updateAgent(me, made.id, { description: 'first' }, 1);
    const stale = error('STALE_REVISION', { field: 'input.revision', details: { revision: 2 } });
    await expect(registry.updateAgent(me, made.id, { description: 'second' }, 1)).rejects.toThrow(stale);
    await expect(registry.setAgentStatus(me, made.id, 'inactive', 1)).rejects.toThrow(stale);
    await expect(registry.deleteAgent(me, made.id, 1)).rejects.toThrow(stale);
    expect(await registry.agent(me, made.id)).toMatchObject({ description: 'first', status: 'active', revision: 2 });
  });

  test('of two who change the same revision at the same moment, one wins', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me);
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((description) => registry.updateAgent(me, made.id, { description }, 1)),
    );
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'STALE_REVISION' });
  });

  test('a deleted agent is gone from every read; its handle and Flyte name are free again', async () => {
    const { registry, agent, published } = shared();
    const me = someone();
    const names = { handle: `gone-${newId()}`, flyteName: `gone-${newId()}`, taskCategories: [{ name: newId() }] };
    const made = await agent(me, { ...names, skills: [{ key: 'k', name: 'K' }] });
    const skill = (await registry.skillsOfAgents([made.id]))[0]![0]!;
    expect((await registry.deleteAgent(me, made.id)).id).toBe(made.id);
    expect(published.at(-1)).toMatchObject({ action: 'deleted', agentId: made.id });
    await expect(registry.agent(me, made.id)).rejects.toThrow(error('NOT_FOUND'));
    expect(await registry.agentByHandle(me, names.handle)).toBeUndefined();
    expect(await registry.skillsById(me, [skill.id])).toEqual([undefined]);
    expect((await registry.listAgents(me, { filter: { owner: me.subject } })).items).toEqual([]);
    for (const again of [
      () => registry.deleteAgent(me, made.id),
      () => registry.updateAgent(me, made.id, { name: 'x' }),
      () => registry.setAgentStatus(me, made.id, 'active'),
      () => registry.addSkill(me, made.id, { key: 'n', name: 'N' }),
      () => registry.updateSkill(me, skill.id, { name: 'N' }),
    ])
      await expect(again()).rejects.toThrow(error('NOT_FOUND'));
    expect((await agent(me, names)).handle).toBe(names.handle);
  });

  test('handles: made from the name, numbered when taken, refused when asked for and taken', async () => {
    const { agent } = shared();
    const me = someone();
    const name = `Über ${newId().slice(-12)}`;
    const base = `uber-${name.slice(5)}`;
    const made = await Promise.all([agent(me, { name }), agent(me, { name }), agent(me, { name })]);
    expect(made.map((a) => a.handle).sort()).toEqual([base, `${base}-2`, `${base}-3`]);
    await expect(agent(me, { handle: base })).rejects.toThrow(
      error('ALREADY_EXISTS', { field: 'input.handle', message: expect.stringContaining(base) }),
    );
    expect((await agent(me, { name: '東京' })).handle).toMatch(/^agent/);
    expect((await agent(me, { name: 'x'.repeat(200) })).handle.length).toBeLessThanOrEqual(64);
  });

  test('what is no agent is not found, whatever the text', async () => {
    const { registry } = shared();
    const me = someone();
    for (const id of [newId(), '', 'x', '\0', "'; drop table agent; --"]) {
      await expect(registry.agent(me, id)).rejects.toThrow(error('NOT_FOUND'));
      await expect(registry.updateAgent(me, id, {})).rejects.toThrow(error('NOT_FOUND'));
      expect(await registry.agentByHandle(me, id)).toBeUndefined();
    }
    expect(await registry.agentsById(me, [newId(), 'x'])).toEqual([undefined, undefined]);
  });

  test('rights: writing needs the scope, and changing needs to be the owner or an admin', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const reader = { ...me, scopes: new Set(['registry:read'] as const) };
    const made = await agent(me);
    await expect(agent(reader)).rejects.toThrow(error('FORBIDDEN', { details: { scope: 'registry:write' } }));
    await expect(agent(ANONYMOUS)).rejects.toThrow(error('UNAUTHENTICATED'));
    await expect(registry.updateAgent(reader, made.id, { name: 'x' })).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.updateAgent(someone(), made.id, { name: 'x' })).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.deleteAgent(someone(), made.id)).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.listAgents(someone('tasks:send'), {})).rejects.toThrow(error('FORBIDDEN'));
    const admin = someone('admin');
    expect(await registry.updateAgent(admin, made.id, { name: 'x' })).toMatchObject({ name: 'x', owner: me.subject });
  });

  test('a caller who may write and not read is shown what they wrote', async () => {
    const { registry, agent } = shared();
    const writer = someone('registry:write');
    const made = await agent(writer);
    expect((await registry.updateAgent(writer, made.id, { name: 'Y' })).name).toBe('Y');
    const skill = await registry.addSkill(writer, made.id, { key: 'k', name: 'K' });
    await registry.removeSkill(writer, skill.id);
    await expect(registry.agent(writer, made.id)).rejects.toThrow(error('FORBIDDEN'));
  });

  test('an address that is not allowed is refused before anything is stored', async () => {
    const { registry, agent } = shared();
    const me = someone();
    await expect(agent(me, { url: 'http://169.254.169.254/' })).rejects.toThrow(error('EGRESS_DENIED'));
    const authentication = { type: 'oauth2' as const, tokenUrl: 'http://10.0.0.1/token' };
    await expect(agent(me, { authentication })).rejects.toThrow(error('EGRESS_DENIED'));
    expect(await registry.countAgents(me, { filter: { owner: me.subject } })).toEqual({ value: 0, exact: true });
  });

  test('task categories belong to one agent, which the refusal names to those who see it', async () => {
    const { registry, agent } = shared();
    const [me, stranger] = [someone(), someone()];
    const [open, hidden] = [`open-${newId()}`, `hidden-${newId()}`];
    const flyte = () => ({ flyteName: newId() });
    const first = await agent(me, { ...flyte(), taskCategories: [{ name: open }, { name: open, version: 2 }] });
    await agent(me, { ...flyte(), handle: hidden, visibility: 'private', taskCategories: [{ name: hidden }] });
    await expect(
      agent(stranger, { ...flyte(), taskCategories: [{ name: 'new' }, { name: open, version: 2 }] }),
    ).rejects.toThrow(
      error('ALREADY_EXISTS', {
        field: 'input.taskCategories',
        message: expect.stringContaining(first.handle),
        details: { id: first.id },
      }),
    );
    await expect(agent(stranger, { ...flyte(), taskCategories: [{ name: hidden }] })).rejects.toThrow(
      error('ALREADY_EXISTS', { message: expect.stringContaining('may not see'), details: {} }),
    );
    const other = await agent(stranger, { ...flyte(), taskCategories: [{ name: open, version: 1 }] });
    expect(await registry.taskCategoriesOfAgents([first.id, other.id])).toMatchObject([
      [
        { name: open, version: 0 },
        { name: open, version: 2 },
      ],
      [{ name: open, version: 1 }],
    ]);
    await expect(agent(me, { taskCategories: [{ name: newId() }] })).rejects.toThrow(
      error('INVALID_INPUT', { field: 'input.flyteName' }),
    );
    await expect(registry.updateAgent(me, first.id, { flyteName: null })).rejects.toThrow(
      error('INVALID_INPUT', { field: 'input.flyteName' }),
    );
  });

  test('an agent with as many and as long skills as there may be is stored and found', async () => {
    const { agent, registry } = shared();
    const me = someone();
    const long = (i: number, n: number) => `${i}${'丽'.repeat(n)}`;
    const skills = Array.from({ length: 500 }, (_, i) => ({
      key: long(i, 190),
      name: long(i, 190),
      tags: Array.from({ length: 10 }, (__, t) => long(t * 1000 + i, 90)),
      examples: [long(i, 1900)],
    }));
    const made = await agent(me, { name: 'Colossus', description: '😀 '.repeat(3000), skills });
    const { items } = await registry.listAgents(me, { search: 'colossus', filter: { owner: me.subject } });
    expect(items.map(({ item }) => item.id)).toEqual([made.id]);
  });
});
