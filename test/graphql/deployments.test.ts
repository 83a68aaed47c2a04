import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app.ts';
import type { Scope } from '../../src/auth/principal.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor, USER_SCOPES } from '../support/tokens.ts';

const FLYTE_SUBJECT = randomUUID();
let app: App;
let url: string;
beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, FLYTE_PRINCIPAL: FLYTE_SUBJECT, EGRESS_ALLOW: '127.0.0.0/8' });
  url = app.addresses.url;
});
afterAll(() => app?.close());

const DEPLOYMENT = 'id endpoint tls generation weight draining timeouts { getTask createTask } agent { handle }';
const REGISTER = `mutation($input: RegisterDeploymentInput!) { registerDeployment(input: $input) { ${DEPLOYMENT} } }`;
const UPDATE = `mutation($input: UpdateDeploymentInput!) { updateDeployment(input: $input) { ${DEPLOYMENT} } }`;
const REMOVE = `mutation($input: RemoveDeploymentInput!) { removeDeployment(input: $input) { ${DEPLOYMENT} } }`;
const AGENT = `query($id: ID!) { agent(id: $id) { revision deployments { ${DEPLOYMENT} }
  history { nodes { action changes { field before after } } } } }`;
const PREVIEW = `{ flytePreview { open agents { name isSync supportedTaskTypes agent { handle }
  categories { name version kept calledAs takesTasks } } warnings { kind message agent { handle } category { name version } } } }`;

interface Caller {
  readonly subject: string;
  readonly token: string;
}
const caller = async (subject: string = randomUUID(), scopes: readonly Scope[] = USER_SCOPES): Promise<Caller> => ({
  subject,
  token: await tokenFor(subject, scopes),
});

let made = 0;
/** A Flyte agent of a caller. */
async function agentOf({ token }: Caller, more: Record<string, unknown> = {}) {
  const handle = `flyte-${++made}`;
  const input = {
    handle,
    name: handle,
    executionType: 'FLYTE',
    flyteName: `${handle} Agent`,
    taskCategories: [{ name: handle }],
    ...more,
  };
  const query = 'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id handle flyteName } }';
  return (await data(url, query, { input }, token))['registerAgent'] as {
    readonly id: string;
    readonly handle: string;
    readonly flyteName: string;
  };
}

const preview = async ({ token }: Caller) => (await data(url, PREVIEW, {}, token))['flytePreview'];
/** What the preview says of one agent. */
async function previewOf(who: Caller, handle: string) {
  const { agents, warnings } = await preview(who);
  return {
    listed: agents.find((each: any) => each.agent?.handle === handle),
    warnings: warnings.filter((each: any) => each.agent?.handle === handle).map((each: any) => each.kind),
  };
}

describe('deployments in the graph', () => {
  test('are registered, changed, listed and removed', async () => {
    const me = await caller();
    const { id: agentId, handle } = await agentOf(me);
    const input = { agentId, endpoint: '127.0.0.1:8000', tls: false, timeouts: { getTask: 700, createTask: null } };
    const { registerDeployment } = await data(url, REGISTER, { input }, me.token);
    expect(registerDeployment).toEqual({
      id: expect.any(String),
      endpoint: '127.0.0.1:8000',
      tls: false,
      generation: 1,
      weight: 1,
      draining: false,
      timeouts: { getTask: 700, createTask: null },
      agent: { handle },
    });
    const { id } = registerDeployment;
    const { updateDeployment } = await data(
      url,
      UPDATE,
      { input: { id, weight: 0, draining: true, timeouts: {}, tls: null } },
      me.token,
    );
    const changed = { ...registerDeployment, weight: 0, draining: true, timeouts: { getTask: null, createTask: null } };
    expect(updateDeployment).toEqual(changed);
    const { agent } = await data(url, AGENT, { id: agentId }, me.token);
    expect(agent).toMatchObject({ revision: 3, deployments: [changed] });
    expect(agent.history.nodes[0].action).toBe('DEPLOYMENT_UPDATED');
    expect((await data(url, REMOVE, { input: { id, revision: 3 } }, me.token))['removeDeployment']).toEqual(changed);
    expect((await data(url, AGENT, { id: agentId }, me.token))['agent'].deployments).toEqual([]);
  });

  test('show their endpoints to those alone who may change the agent, in the export too', async () => {
    const [me, stranger, admin] = [await caller(), await caller(), await caller(randomUUID(), ['admin'])];
    const { id: agentId, handle } = await agentOf(me);
    const { id } = (await data(url, REGISTER, { input: { agentId, endpoint: '127.0.0.1:8123', weight: 2 } }, me.token))[
      'registerDeployment'
    ];
    const seen = async (who: Caller) => (await data(url, AGENT, { id: agentId }, who.token))['agent'];
    expect((await seen(me)).deployments[0].endpoint).toBe('127.0.0.1:8123');
    expect((await seen(admin)).deployments[0].endpoint).toBe('127.0.0.1:8123');
    const hidden = await seen(stranger);
    expect(hidden.deployments).toMatchObject([{ id, endpoint: null, weight: 2 }]);
    expect(JSON.stringify(hidden)).not.toContain('8123');
    const exported = async (who: Caller) =>
      (await data(url, '{ exportRecords(first: 200) { records } }', {}, who.token))['exportRecords'].records;
    const recordOf = async (who: Caller) => {
      const { records } = (
        await data(
          url,
          'query($a: String) { exportRecords(first: 200, after: $a) { records } }',
          { a: await afterProviders(who) },
          who.token,
        )
      )['exportRecords'];
      return records.find((each: any) => each.handle === handle);
    };
    expect(JSON.stringify(await exported(stranger))).not.toContain('8123');
    expect(await recordOf(stranger)).not.toHaveProperty('deployments');
    expect((await recordOf(me)).deployments).toMatchObject([{ id, endpoint: '127.0.0.1:8123' }]);
  });

  test('are changed by nobody else, whether they see them or not', async () => {
    const [me, stranger] = [await caller(), await caller()];
    const [open, hidden] = [await agentOf(me), await agentOf(me, { visibility: 'PRIVATE' })];
    for (const [agent, code] of [
      [open, 'FORBIDDEN'],
      [hidden, 'NOT_FOUND'],
    ] as const) {
      const { id } = (
        await data(url, REGISTER, { input: { agentId: agent.id, endpoint: '127.0.0.1:8000' } }, me.token)
      )['registerDeployment'];
      const input = { agentId: agent.id, endpoint: '127.0.0.1:8001' };
      for (const [query, given] of [
        [REGISTER, input],
        [UPDATE, { id, weight: 9 }],
        [REMOVE, { id }],
      ] as const) {
        const answer = await ask(url, query, { input: given }, stranger.token);
        expect(answer.errors![0]!.extensions['code']).toBe(code);
        expect(JSON.stringify(answer.errors)).not.toContain('8000');
        expect((await ask(url, query, { input: given })).errors![0]!.extensions['code']).toBe('UNAUTHENTICATED');
      }
    }
  });

  test.each([
    [{ endpoint: 'http://127.0.0.1:1' }, 'INVALID_INPUT', 'input.endpoint'],
    [{ endpoint: '10.1.2.3:80' }, 'EGRESS_DENIED', undefined],
    [{ endpoint: '127.0.0.1:1', weight: 1001 }, 'INVALID_INPUT', 'input.weight'],
    [{ endpoint: '127.0.0.1:1', generation: 0 }, 'INVALID_INPUT', 'input.generation'],
    [{ endpoint: '127.0.0.1:1', timeouts: { getTaskLogs: -5 } }, 'INVALID_INPUT', 'input.timeouts.getTaskLogs'],
  ])('with %j are refused', async (wrong, code, field) => {
    const me = await caller();
    const { id: agentId } = await agentOf(me);
    const { errors } = await ask(url, REGISTER, { input: { agentId, ...wrong } }, me.token);
    expect(errors![0]!.extensions).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
  });

  test('are announced to subscribers as changes of their agent', async () => {
    const me = await caller();
    const { id: agentId } = await agentOf(me);
    const client = createClient({
      url: `${url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${me.token}` },
    });
    const events = client.iterate<any>({
      query: `subscription($ids: [ID!]) { agentsChanged(filter: { agentIds: $ids }) { action agent { deployments { weight } } } }`,
      variables: { ids: [agentId] },
    });
    try {
      const first = events.next();
      // The subscription stands once the server answers the next operation of this connection.
      const probe = client.iterate({ query: '{ __typename }' });
      await probe.next();
      const { id } = (await data(url, REGISTER, { input: { agentId, endpoint: '127.0.0.1:8000' } }, me.token))[
        'registerDeployment'
      ];
      expect((await first).value.data.agentsChanged).toEqual({
        action: 'DEPLOYMENT_REGISTERED',
        agent: { deployments: [{ weight: 1 }] },
      });
      await data(url, REMOVE, { input: { id } }, me.token);
      expect((await events.next()).value.data.agentsChanged).toEqual({
        action: 'DEPLOYMENT_REMOVED',
        agent: { deployments: [] },
      });
    } finally {
      await events.return?.();
      await client.dispose();
    }
  });
});

/** The cursor at which the agents of an export begin. */
async function afterProviders({ token }: Caller): Promise<string | null> {
  let after: string | null = null;
  for (;;) {
    const page: Record<string, any> = (
      await data(
        url,
        'query($a: String) { exportRecords(first: 200, after: $a) { records next } }',
        { a: after },
        token,
      )
    )['exportRecords'];
    if (page['records'].length === 0 || page['records'][0].kind === 'agent') return after;
    after = page['next'];
  }
}

describe('flytePreview', () => {
  const deploy = async (me: Caller, agentId: string, more: Record<string, unknown> = {}) =>
    (await data(url, REGISTER, { input: { agentId, endpoint: '127.0.0.1:8000', ...more } }, me.token))[
      'registerDeployment'
    ].id as string;

  test('shows what is listed, and how it would be called', async () => {
    const me = await caller();
    const { id, handle, flyteName } = await agentOf(me);
    expect(await previewOf(me, handle)).toMatchObject({ warnings: ['NO_DEPLOYMENT'] });
    await deploy(me, id);
    expect(await previewOf(me, handle)).toEqual({
      listed: {
        name: flyteName,
        isSync: false,
        supportedTaskTypes: [handle],
        agent: { handle },
        categories: [{ name: handle, version: 0, kept: true, calledAs: 'ASYNC', takesTasks: true }],
      },
      warnings: [],
    });
    expect((await preview(me)).open).toBe(true);
  });

  test("keeps one version a name, as propeller does: the last listed one, and the sync one before all others'", async () => {
    const me = await caller();
    const name = `shared-${++made}`;
    const many = await agentOf(me, { taskCategories: [{ name, version: 2 }, { name }, { name, version: 1 }] });
    const sync = await agentOf(me, { isSync: true, taskCategories: [{ name, version: 7 }] });
    const lost = await agentOf(me, {
      isSync: true,
      flyteName: `${made} before ${sync.flyteName}`,
      taskCategories: [{ name, version: 5 }],
    });
    for (const { id } of [many, sync, lost]) await deploy(me, id);
    const shown = await previewOf(me, many.handle);
    expect(shown.listed.categories).toEqual(
      [0, 1, 2].map((version) => ({ name, version, kept: false, calledAs: 'ASYNC', takesTasks: true })),
    );
    expect(shown.warnings).toEqual(['NEEDS_DEFAULT', 'NEEDS_DEFAULT', 'NEEDS_DEFAULT']);
    expect((await previewOf(me, sync.handle)).listed.categories).toMatchObject([
      { version: 7, kept: true, calledAs: 'SYNC' },
    ]);
    expect((await previewOf(me, sync.handle)).warnings).toEqual([]);
    expect(await previewOf(me, lost.handle)).toMatchObject({
      listed: { categories: [{ version: 5, kept: false, calledAs: 'ASYNC' }] },
      warnings: ['SYNC_FORGOTTEN'],
    });
    const { agents } = await preview(me);
    const kinds: boolean[] = agents.map(({ isSync }: { isSync: boolean }) => isSync);
    expect(kinds).toEqual(kinds.toSorted((a, b) => Number(a) - Number(b)));
  });

  test('warns of what Flyte does not see or reach', async () => {
    const me = await caller();
    const warned = async (handle: string) => (await previewOf(me, handle)).warnings;
    const bare = await agentOf(me, { taskCategories: [] });
    expect(await warned(bare.handle)).toEqual(['NO_CATEGORIES']);
    const hidden = await agentOf(me, { visibility: 'PRIVATE' });
    expect(await warned(hidden.handle)).toEqual(['NOT_SEEN']);
    const resting = await agentOf(me, { status: 'INACTIVE' });
    expect(await warned(resting.handle)).toEqual(['INACTIVE']);
    const second = await agentOf(me);
    await deploy(me, second.id, { generation: 2 });
    expect(await warned(second.handle)).toEqual(['ONLY_SECOND_GENERATION']);
    const sync = await agentOf(me, { isSync: true });
    await deploy(me, sync.id, { generation: 2 });
    await deploy(me, sync.id);
    expect(await warned(sync.handle)).toEqual(['SYNC_IN_SECOND_GENERATION']);
    const drained = await agentOf(me);
    const id = await deploy(me, drained.id, { draining: true });
    await deploy(me, drained.id, { endpoint: '127.0.0.1:8001', weight: 0 });
    expect(await warned(drained.handle)).toEqual(['NONE_TAKES_TASKS']);
    await data(url, UPDATE, { input: { id, draining: false } }, me.token);
    expect(await warned(drained.handle)).toEqual([]);
  });

  test('tells a caller nothing of agents that they may not see', async () => {
    const [me, flyte] = [await caller(), await caller(FLYTE_SUBJECT)];
    const secret = await agentOf(flyte, { visibility: 'PRIVATE' });
    expect(JSON.stringify(await preview(me))).not.toContain(secret.handle);
    expect((await previewOf(flyte, secret.handle)).listed.name).toBe(secret.flyteName);
  });

  test('says when the port is shut', async () => {
    const shut = await startTestApp({ ...JWT_SETTINGS });
    try {
      const { token } = await caller();
      const { flytePreview } = await data(shut.addresses.url, PREVIEW, {}, token);
      expect(flytePreview).toMatchObject({ open: false, agents: [], warnings: [{ kind: 'PORT_SHUT' }] });
      expect(flytePreview.warnings[0].message).toContain('FLYTE_PRINCIPAL');
    } finally {
      await shut.close();
    }
  });
});
