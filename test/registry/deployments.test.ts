import { describe, expect, test } from 'vitest';
import { newId } from '../../src/database/ids.ts';
import type { Deployment } from '../../src/registry/model.ts';
import { DRIVERS } from '../support/database.ts';
import { anAdmin, sharedRegistry, someone } from '../support/registry.ts';

const error = (code: string, more: object = {}) => expect.objectContaining({ name: 'RollcallError', code, ...more });
const flyte = () => ({ executionType: 'flyte' as const, flyteName: newId(), taskCategories: [{ name: newId() }] });
const ENDPOINT = '127.0.0.1:8000';

describe.each(DRIVERS)('deployments (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const of = async (id: string): Promise<Deployment[]> => (await shared().registry.deploymentsOfAgents([id]))[0]!;

  test('are registered, changed and removed, each a change of the agent that everyone is told of', async () => {
    const { registry, agent, published } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    const first = await registry.registerDeployment(me, made.id, { endpoint: ENDPOINT }, 1);
    expect(first).toMatchObject({ agentId: made.id, endpoint: ENDPOINT, tls: true, generation: 1, weight: 1 });
    expect(first).toMatchObject({ draining: false, timeouts: {} });
    const changed = await registry.updateDeployment(
      me,
      first.id,
      { endpoint: '127.0.0.1:8001', weight: 5, draining: true, timeouts: { getTask: 500 } },
      2,
    );
    expect(changed).toMatchObject({ id: first.id, endpoint: '127.0.0.1:8001', weight: 5, draining: true, tls: true });
    expect(changed.timeouts).toEqual({ getTask: 500 });
    expect(changed.updatedAt.getTime()).toBeGreaterThanOrEqual(first.updatedAt.getTime());
    expect(await of(made.id)).toEqual([changed]);
    // What says nothing new changes nothing.
    expect(await registry.updateDeployment(me, first.id, { weight: 5, timeouts: { getTask: 500 } })).toEqual(changed);
    expect(await registry.removeDeployment(me, first.id, 3)).toEqual(changed);
    expect(await of(made.id)).toEqual([]);
    expect((await registry.agent(me, made.id)).revision).toBe(4);
    expect(published.filter(({ agentId }) => agentId === made.id).map(({ action }) => action)).toEqual([
      'registered',
      'deploymentRegistered',
      'deploymentUpdated',
      'deploymentRemoved',
    ]);
  });

  test('never show their endpoints in the history, which everyone reads who sees the agent', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    const { id } = await registry.registerDeployment(me, made.id, { endpoint: ENDPOINT, weight: 3 });
    await registry.updateDeployment(me, id, { endpoint: '127.0.0.1:8001', weight: 4 });
    await registry.removeDeployment(me, id);
    const { items } = await registry.historyOfAgent(made.id, {});
    expect(JSON.stringify(items)).not.toContain('127.0.0.1');
    expect(items.map(({ item }) => item.changes)).toEqual([
      [{ field: `deployments.${id}`, before: expect.objectContaining({ weight: 4 }), after: null }],
      [
        { field: `deployments.${id}.endpoint`, before: '(set)', after: '(changed)' },
        { field: `deployments.${id}.weight`, before: 3, after: 4 },
      ],
      [{ field: `deployments.${id}`, before: null, after: expect.objectContaining({ weight: 3 }) }],
      [],
    ]);
  });

  test('are read for many agents at once, oldest first', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const [a, b] = [await agent(me, flyte()), await agent(me, flyte())];
    const ids = [];
    for (const port of [1, 2, 3])
      ids.push((await registry.registerDeployment(me, a.id, { endpoint: `127.0.0.1:${port}` })).id);
    const found = await registry.deploymentsOfAgents([b.id, a.id]);
    expect(found.map((each) => each.map(({ id }) => id))).toEqual([[], ids]);
  });

  test('belong to the owner of the agent, and to admin', async () => {
    const { registry, agent } = shared();
    const [me, stranger] = [someone(), someone()];
    const made = await agent(me, flyte());
    const hidden = await agent(me, { ...flyte(), visibility: 'private' });
    const { id } = await registry.registerDeployment(me, made.id, { endpoint: ENDPOINT });
    const kept = await registry.registerDeployment(me, hidden.id, { endpoint: ENDPOINT });
    for (const work of [
      () => registry.registerDeployment(stranger, made.id, { endpoint: '127.0.0.1:9' }),
      () => registry.updateDeployment(stranger, id, { weight: 0 }),
      () => registry.removeDeployment(stranger, id),
    ])
      await expect(work()).rejects.toThrow(error('FORBIDDEN'));
    for (const work of [
      () => registry.registerDeployment(stranger, hidden.id, { endpoint: '127.0.0.1:9' }),
      () => registry.updateDeployment(stranger, kept.id, { weight: 0 }),
      () => registry.removeDeployment(stranger, kept.id),
      () => registry.removeDeployment(me, newId()),
      () => registry.updateDeployment(me, 'no uuid', {}),
    ])
      await expect(work()).rejects.toThrow(error('NOT_FOUND'));
    await expect(registry.removeDeployment(someone('registry:read'), id)).rejects.toThrow(error('FORBIDDEN'));
    await expect(registry.updateDeployment(me, id, { weight: 7 }, 1)).rejects.toThrow(error('STALE_REVISION'));
    expect((await registry.updateDeployment(anAdmin(), id, { weight: 7 })).weight).toBe(7);
  });

  test('are refused where the agent has that endpoint already; another agent or generation may have it', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const [a, b] = [await agent(me, flyte()), await agent(me, flyte())];
    await registry.registerDeployment(me, a.id, { endpoint: ENDPOINT });
    const taken = error('ALREADY_EXISTS', { field: 'input.endpoint' });
    await expect(registry.registerDeployment(me, a.id, { endpoint: ENDPOINT, tls: false })).rejects.toThrow(taken);
    const other = await registry.registerDeployment(me, a.id, { endpoint: '127.0.0.1:8001' });
    await expect(registry.updateDeployment(me, other.id, { endpoint: ENDPOINT })).rejects.toThrow(taken);
    await registry.registerDeployment(me, a.id, { endpoint: ENDPOINT, generation: 2 });
    await registry.registerDeployment(me, b.id, { endpoint: ENDPOINT });
    expect((await registry.agent(me, a.id)).revision).toBe(4);
  });

  test('go with their agent', async () => {
    const { registry, agent, database } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    const { id } = await registry.registerDeployment(me, made.id, { endpoint: ENDPOINT });
    await registry.deleteAgent(me, made.id);
    expect(await of(made.id)).toEqual([]);
    expect(await database.query('select 1 from flyte_deployment where id = $1', [id])).toEqual([]);
    await expect(registry.updateDeployment(me, id, { weight: 2 })).rejects.toThrow(error('NOT_FOUND'));
  });

  test('are limited in number', async () => {
    const { registry, agent, database } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    await database.query(
      `insert into flyte_deployment (id, agent, endpoint, created_at, updated_at)
       select gen_random_uuid(), $1, 'h:' || n, now(), now() from generate_series(1, 50) n`,
      [made.id],
    );
    await expect(registry.registerDeployment(me, made.id, { endpoint: ENDPOINT })).rejects.toThrow(/50 deployments/);
  });

  test.each([
    ['2001:db8::1:80', 'INVALID_INPUT', /host:port/],
    ['http://127.0.0.1:80', 'INVALID_INPUT', /without a scheme/],
    ['dns:///localhost:80', 'INVALID_INPUT', /host:port/],
    ['unix:/tmp/socket', 'INVALID_INPUT', /host:port/],
    ['localhost', 'INVALID_INPUT', /host:port/],
    ['localhost:0', 'INVALID_INPUT', /between 1 and 65535/],
    ['localhost:65536', 'INVALID_INPUT', /between 1 and 65535/],
    ['localhost:080', 'INVALID_INPUT', /between 1 and 65535/],
    ['user@localhost:80', 'INVALID_INPUT', /host/],
    ['localhost:80/path', 'INVALID_INPUT', /host:port/],
    ['local host:80', 'INVALID_INPUT', /host/],
    ['localhost:80\n', 'INVALID_INPUT', /host:port/],
    ['2130706433:80', 'INVALID_INPUT', /four decimal numbers/],
    ['0x7f.1:80', 'INVALID_INPUT', /./],
    ['[::1%25lo]:80', 'INVALID_INPUT', /zone/],
    ['10.0.0.7:8000', 'EGRESS_DENIED', /EGRESS_ALLOW/],
    ['169.254.169.254:80', 'EGRESS_DENIED', /EGRESS_ALLOW/],
    ['[::ffff:10.0.0.1]:80', 'EGRESS_DENIED', /EGRESS_ALLOW/],
  ])('at the endpoint %j are refused: %s', async (endpoint, code, message) => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    const field = code === 'INVALID_INPUT' ? { field: 'input.endpoint' } : {};
    const refused = error(code, { message: expect.stringMatching(message), ...field });
    await expect(registry.registerDeployment(me, made.id, { endpoint })).rejects.toThrow(refused);
    const { id } = await registry.registerDeployment(me, made.id, { endpoint: ENDPOINT });
    await expect(registry.updateDeployment(me, id, { endpoint })).rejects.toThrow(refused);
    expect((await registry.agent(me, made.id)).revision).toBe(2);
  });

  test('keep their endpoint in one form', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    const written = ['LOCALHOST:80', '[0:0:0:0:0:0:0:1]:80'];
    for (const endpoint of written) await registry.registerDeployment(me, made.id, { endpoint });
    expect((await of(made.id)).map(({ endpoint }) => endpoint)).toEqual(['localhost:80', '[::1]:80']);
  });

  test.each([
    [{ weight: -1 }, 'input.weight'],
    [{ weight: 1001 }, 'input.weight'],
    [{ weight: 0.5 }, 'input.weight'],
    [{ generation: 3 }, 'input.generation'],
    [{ timeouts: { getTask: 0 } }, 'input.timeouts.getTask'],
    [{ timeouts: { createTask: 3_600_001 } }, 'input.timeouts.createTask'],
    [{ timeouts: { listAgents: 5 } }, 'input.timeouts'],
    [{ healthy: true }, 'input'],
  ])('with %j are refused, naming the field', async (wrong, field) => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, flyte());
    await expect(
      registry.registerDeployment(me, made.id, { endpoint: ENDPOINT, ...(wrong as object) }),
    ).rejects.toThrow(error('INVALID_INPUT', { field }));
  });

  test('a category that is taken is refused when it is set, naming its owner; the agent keeps what it has', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const [a, b] = [await agent(me, flyte()), await agent(me, flyte())];
    const [taken] = (await registry.taskCategoriesOfAgents([a.id]))[0]!;
    const [own] = (await registry.taskCategoriesOfAgents([b.id]))[0]!;
    await expect(
      registry.setTaskCategories(me, b.id, [{ name: 'free' }, { name: taken!.name, version: 0 }]),
    ).rejects.toThrow(error('ALREADY_EXISTS', { message: expect.stringContaining(a.handle), details: { id: a.id } }));
    expect((await registry.taskCategoriesOfAgents([b.id]))[0]).toEqual([own]);
  });

  test('one of two agents that ask for a category at the same moment gets it, the other a clear answer', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const agents = await Promise.all(Array.from({ length: 6 }, () => agent(me, flyte())));
    const wanted = { name: newId(), version: 3 };
    const results = await Promise.allSettled(agents.map(({ id }) => registry.setTaskCategories(me, id, [wanted])));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toEqual(error('ALREADY_EXISTS'));
  });
});
