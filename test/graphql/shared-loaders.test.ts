import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/auth/principal.ts';
import { RollcallError } from '../../src/errors.ts';
import type { Core } from '../../src/graphql/context.ts';
import { createLoaders } from '../../src/graphql/loaders.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

const shared = sharedRegistry('pglite');

/** A core whose registry also keeps what ids each of its reads was asked for. */
function watched() {
  const { registry } = shared();
  const reads: { principal?: Principal; ids: readonly string[] }[] = [];
  const core = {
    registry: {
      ...registry,
      agentsById: (principal: Principal, ids: readonly string[]) => {
        reads.push({ principal, ids });
        return registry.agentsById(principal, ids);
      },
      skillsOfAgents: (ids: readonly string[]) => {
        reads.push({ ids });
        return registry.skillsOfAgents(ids);
      },
    },
  } as unknown as Core;
  return { core, reads };
}

describe('operations under way at the same time', () => {
  test('share one read of agents when the same principal asks', async () => {
    const owner = someone();
    const [a, b] = await Promise.all([shared().agent(owner), shared().agent(owner)]);
    const { core, reads } = watched();
    const answers = await Promise.all([a.id, b.id, a.id].map((id) => createLoaders(core, owner).agent.load(id)));
    expect(answers.map((agent) => agent?.id)).toEqual([a.id, b.id, a.id]);
    expect(reads).toHaveLength(1);
  });

  test('never see an agent through the eyes of another principal', async () => {
    const owner = someone();
    const stranger = someone();
    const secret = await shared().agent(owner, { visibility: 'private' });
    const { core, reads } = watched();
    const [mine, theirs, asAdmin] = await Promise.all(
      [owner, stranger, { ...stranger, scopes: new Set(['admin'] as const) }].map((principal) =>
        createLoaders(core, principal).agent.load(secret.id),
      ),
    );
    expect(mine?.id).toBe(secret.id);
    expect(theirs).toBeUndefined();
    expect(asAdmin?.id).toBe(secret.id);
    expect(reads).toHaveLength(3);
  });

  test('fail for the caller alone who may not read', async () => {
    const owner = someone();
    const agent = await shared().agent(owner);
    const { core } = watched();
    const without: Principal = { ...owner, scopes: new Set(['tasks:send']) };
    const [allowed, refused] = await Promise.allSettled(
      [owner, without].map((principal) => createLoaders(core, principal).agent.load(agent.id)),
    );
    expect(allowed).toMatchObject({ status: 'fulfilled', value: { id: agent.id } });
    expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(RollcallError) });
    expect((refused as PromiseRejectedResult).reason.code).toBe('FORBIDDEN');
  });

  test('share one read of skills, and read afresh after it', async () => {
    const owner = someone();
    const agent = await shared().agent(owner, { skills: [{ key: 'one', name: 'One' }] });
    const { core, reads } = watched();
    const keys = async () => (await createLoaders(core, owner).skillsOfAgent.load(agent.id)).map((skill) => skill.key);
    expect(await Promise.all([keys(), keys()])).toEqual([['one'], ['one']]);
    expect(reads).toHaveLength(1);
    await shared().registry.addSkill(owner, agent.id, { key: 'two', name: 'Two' });
    expect(await keys()).toEqual(['one', 'two']);
  });
});
