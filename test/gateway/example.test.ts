import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { mintToken } from '../../src/auth/authenticator.ts';
import { newId } from '../../src/database/ids.ts';
import { ask, data, type GraphAnswer } from '../support/app.ts';
import { type FederationExample, type ListEntry, startFederationExample } from '../support/federation-example.ts';
import { COMMAND_LINE, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { JWT_SETTINGS, TEST_SECRET, USER_SCOPES } from '../support/tokens.ts';

/** examples/federation, as docs/federation.md shows it: every part in a process of its own. */

const SEND = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id state } } }`;
const REPORT = `mutation($input: ReportIncidentInput!) { reportIncident(input: $input) { id agent { handle } } }`;
const EVENTS = `subscription($id: ID!, $after: Int) { taskEvents(taskId: $id, after: $after) {
  sequence kind state task { cost incidents { title } agent { handle costPerCall } }
} }`;

interface EventSeen {
  readonly sequence: number;
  readonly kind: string;
  readonly state: string;
  readonly task: {
    readonly cost: number | null;
    readonly incidents: readonly { readonly title: string }[] | null;
    readonly agent: { readonly handle: string; readonly costPerCall: number | null };
  };
}

let folder: string;
let example: FederationExample;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-example-'));
  example = await startFederationExample();
});
afterAll(async () => {
  await example?.close();
  rmSync(folder, { recursive: true, force: true });
});

let lists = 0;
function listFile(entries: readonly ListEntry[]): string {
  const file = join(folder, `subgraphs-${++lists}.json`);
  writeFileSync(file, JSON.stringify(entries));
  return file;
}

/** A socket that never opens a second connection: the one that drops is seen. */
function connect(url: string, token?: string) {
  const seen = { opened: 0, closed: 0 };
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}graphql`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    on: { connected: () => void seen.opened++, closed: () => void seen.closed++ },
  });
  return { client, seen };
}

const subscribe = <T>(client: Client, query: string, variables?: Record<string, unknown>) =>
  client.iterate<Record<string, T>>({ query, ...(variables === undefined ? {} : { variables }) });

async function next<T>(events: ReturnType<typeof subscribe<T>>, field: string): Promise<T> {
  const { value, done } = await events.next();
  if (done === true || value.errors !== undefined) throw new Error(`no event of ${field}: ${JSON.stringify(value)}`);
  return value.data![field]!;
}

const pathsOf = (errors: readonly { readonly path?: readonly (string | number)[] }[]): string[] =>
  errors.map(({ path }) => (path ?? []).join('.')).toSorted();

/** Asks until there are no errors: a changed graph comes with the next reading. */
async function untilFine(url: string, query: string): Promise<GraphAnswer> {
  const end = Date.now() + 20_000;
  for (;;) {
    const answer = await ask(url, query);
    if (answer.errors === undefined) return answer;
    if (Date.now() > end) throw new Error(`it stayed ${JSON.stringify(answer.errors)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the example has its scripts, and its list the addresses that they say', () => {
  const root = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const { scripts } = JSON.parse(root('package.json')) as { scripts: Record<string, string> };
  expect(scripts['example:federation']).toBe('node examples/federation/start.mjs');
  expect(scripts['example:costs']).toBe('node examples/federation/costs.mjs');
  expect(scripts['example:incidents']).toBe('node examples/federation/incidents.mjs');
  const list = JSON.parse(root('examples/federation/subgraphs.json')) as ListEntry[];
  for (const { name, url } of list) {
    const defaultPort = /defaultPort: (\d+)/.exec(root(`examples/federation/${name}.mjs`))?.[1];
    expect(url).toBe(`http://127.0.0.1:${defaultPort}/graphql`);
  }
});

describe('the registry with both subgraphs', () => {
  let server: ServerProcess;
  let url: string;
  let socket: ReturnType<typeof connect>;
  let agentId: string;
  let costPerCall: number;

  const send = async (input: Record<string, unknown>): Promise<{ id: string; state: string }> =>
    (await data(url, SEND, { input: { agentId, ...input } })).sendMessage.task;
  const report = (input: Record<string, unknown>) => data(url, REPORT, { input: { agentId, ...input } });

  beforeAll(async () => {
    server = startServerProcess({
      DATABASE_URL: 'memory://',
      SUBGRAPHS: listFile(example.list()),
      GRAPH_POLL_SECONDS: '1',
      LOG_LEVEL: 'warn',
    });
    url = await server.url();
    socket = connect(url);
    const { agent } = await data(url, '{ agent(handle: "echo") { id costPerCall } }');
    agentId = agent.id;
    costPerCall = agent.costPerCall;
  });
  afterAll(async () => {
    await socket?.client.dispose();
    await server?.stop();
  });

  test('one query joins agents, costs and incidents', async () => {
    const { registerAgent } = await data(
      url,
      `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id skills { id } } }`,
      {
        input: {
          name: 'Invoice reader',
          executionType: 'ECHO',
          provider: { name: 'Finance' },
          skills: [{ key: 'read', name: 'Read' }],
        },
      },
    );
    const skillId = registerAgent.skills[0].id as string;
    const reported = await report({ agentId: registerAgent.id, skillId, title: 'It reads upside down' });
    expect(reported.reportIncident.agent).toEqual({ handle: 'invoice-reader' });
    const { agents, currency } = await data(
      url,
      `{ currency agents(orderBy: { field: NAME }) { nodes {
        handle costPerCall incidents(open: true) { title agent { handle costPerCall } }
        provider { name discountPercent } skills { key incidents { title } }
      } } }`,
    );
    expect(currency).toBe('EUR');
    const [echo, reader] = agents.nodes;
    expect(echo).toMatchObject({ handle: 'echo', costPerCall, incidents: [] });
    expect(reader).toEqual({
      handle: 'invoice-reader',
      costPerCall: expect.any(Number),
      incidents: [
        { title: 'It reads upside down', agent: { handle: 'invoice-reader', costPerCall: reader.costPerCall } },
      ],
      // Without tokens everyone holds every scope.
      provider: { name: 'Finance', discountPercent: expect.any(Number) },
      skills: [{ key: 'read', incidents: [{ title: 'It reads upside down' }] }],
    });
  });

  test('one subscription on a task carries costs and incidents with each event, and resumes after any', async () => {
    const task = await send({ text: 'ask: Which one?' });
    expect(task.state).toBe('INPUT_REQUIRED');
    const events = subscribe<EventSeen>(socket.client, EVENTS, { id: task.id });
    const snapshot = await next(events, 'taskEvents');
    expect(snapshot).toMatchObject({ kind: 'SNAPSHOT', state: 'INPUT_REQUIRED', task: { incidents: [] } });
    await report({ taskId: task.id, title: 'It asks too much' });
    await send({ taskId: task.id, text: 'this one' });
    const live: EventSeen[] = [];
    for await (const { data, errors } of events) {
      expect(errors).toBeUndefined();
      live.push(data!['taskEvents']!);
    }
    expect(live.at(-1)?.state).toBe('COMPLETED');
    for (const event of live) {
      expect(event.task).toEqual({
        cost: costPerCall,
        incidents: [{ title: 'It asks too much' }],
        agent: { handle: 'echo', costPerCall },
      });
    }
    const middle = live[Math.floor(live.length / 2) - 1]!;
    const rest: EventSeen[] = [];
    for await (const { data, errors } of subscribe<EventSeen>(socket.client, EVENTS, {
      id: task.id,
      after: middle.sequence,
    })) {
      expect(errors).toBeUndefined();
      rest.push(data!['taskEvents']!);
    }
    expect(rest.length).toBeGreaterThan(0);
    expect(rest).toEqual(live.filter(({ sequence }) => sequence > middle.sequence));
  });

  test('changes of tasks, and the other team’s own subscription, have fields of all', async () => {
    const changes = subscribe<{ to: string; task: EventSeen['task'] }>(
      socket.client,
      'subscription { tasksChanged { to task { cost incidents { title } agent { handle costPerCall } } } }',
    );
    const incidents = subscribe<Record<string, unknown>>(
      socket.client,
      'subscription($id: ID) { incidentReported(agentId: $id) { title open agent { name costPerCall } task { state cost } } }',
      { id: agentId },
    );
    const [change, incident] = [next(changes, 'tasksChanged'), next(incidents, 'incidentReported')];
    const task = await untilTold(change, () => send({ text: 'ask: And?' }));
    expect(await change).toMatchObject({ task: { cost: costPerCall, incidents: [], agent: { costPerCall } } });
    await untilTold(incident, () => report({ taskId: task.id, title: 'It went on' }));
    expect(await incident).toEqual({
      title: 'It went on',
      open: true,
      agent: { name: 'Echo', costPerCall },
      task: { state: 'INPUT_REQUIRED', cost: costPerCall },
    });
    await Promise.all([changes.return?.(), incidents.return?.()]);
  });

  /** A stream says nothing when it begins: does something until the first event came. */
  async function untilTold<T>(event: Promise<unknown>, act: () => Promise<T>): Promise<T> {
    for (;;) {
      const result = await act();
      const told = await Promise.race([
        event.then(() => true),
        new Promise<boolean>((resolve) => setTimeout(resolve, 250, false)),
      ]);
      if (told) return result;
    }
  }

  test('a subgraph that stops leaves partial data, with errors at the right paths; its new schema needs no restart', async () => {
    const task = await send({ text: 'ask: Shall I?' });
    const events = subscribe<EventSeen>(socket.client, EVENTS, { id: task.id });
    await next(events, 'taskEvents');

    await example.stop('costs');
    const partial = await ask(
      url,
      '{ currency agents(orderBy: { field: NAME }) { nodes { handle costPerCall incidents { title } } } }',
    );
    expect(partial.status).toBe(200);
    expect(partial.data['currency']).toBeNull();
    const nodes = partial.data['agents'].nodes as { handle: string; costPerCall: null; incidents: unknown[] }[];
    expect(nodes.map(({ handle, costPerCall }) => [handle, costPerCall])).toEqual([
      ['echo', null],
      ['invoice-reader', null],
    ]);
    expect(nodes[1]!.incidents).toHaveLength(1);
    // One for each object that lacks the fields of this subgraph.
    expect(pathsOf(partial.errors!)).toEqual(['agents.nodes.0', 'agents.nodes.1', 'currency']);
    for (const { extensions } of partial.errors!)
      expect(extensions).toMatchObject({ code: 'UPSTREAM_UNREACHABLE', serviceName: 'costs' });

    // The stream goes on: the fields that fail are null in its events too.
    await send({ taskId: task.id, text: 'ask: Really?' });
    const { value } = await events.next();
    expect(value.data['taskEvents'].task).toMatchObject({ cost: null, incidents: [], agent: { costPerCall: null } });
    expect(pathsOf(value.errors)).toEqual(['taskEvents.task', 'taskEvents.task.agent']);

    const budget = '{ agent(handle: "echo") { monthlyBudget } }';
    expect((await ask(url, budget)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    await example.restart('costs', { COSTS_BUDGET: '250' });
    expect((await untilFine(url, budget)).data).toEqual({ agent: { monthlyBudget: 250 } });

    // The same socket knows the new field, and the stream that began on the old graph goes on with its costs.
    const onSocket = await socket.client.iterate({ query: budget }).next();
    expect(onSocket.value).toEqual({ data: { agent: { monthlyBudget: 250 } } });
    await send({ taskId: task.id, text: 'yes' });
    const rest: { data?: Record<string, EventSeen> | null | undefined; errors?: unknown }[] = [];
    for await (const event of events) rest.push(event);
    const { data: last, errors } = rest.at(-1)!;
    expect(errors).toBeUndefined();
    expect(last!['taskEvents']).toMatchObject({ state: 'COMPLETED', task: { cost: costPerCall } });
    expect(socket.seen).toEqual({ opened: 1, closed: 0 });
  });
});

describe('a gateway alone, with the registry as one of its subgraphs', () => {
  const me = newId();
  let registry: ServerProcess;
  let registryUrl: string;
  let token: string;
  let gateway: ServerProcess | undefined;

  const tokenWith = (subject: string, ...more: string[]): Promise<string> =>
    mintToken(
      { AUTH_SECRET: TEST_SECRET },
      { subject, scopes: [...USER_SCOPES, ...more] as typeof USER_SCOPES, expiresInSeconds: 3_600 },
    );
  const startGateway = async (subscriptionsUrl?: string): Promise<string> => {
    const entry = { name: 'registry', url: `${registryUrl}subgraph`, forwardHeaders: ['authorization'] };
    const list = [{ ...entry, ...(subscriptionsUrl === undefined ? {} : { subscriptionsUrl }) }, ...example.list()];
    gateway = startServerProcess(JWT_SETTINGS, ['gateway', '--subgraphs', listFile(list)], COMMAND_LINE);
    const url = await gateway.url();
    for (;;) {
      const health = await fetch(new URL('health', url));
      if (health.status === 200) return url;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };

  beforeAll(async () => {
    token = await tokenWith(me);
    registry = startServerProcess({ ...JWT_SETTINGS, DATABASE_URL: 'memory://', LOG_LEVEL: 'warn' });
    registryUrl = await registry.url();
  });
  afterEach(() => gateway?.stop());
  afterAll(() => registry?.stop());

  test('it joins agents and costs under the caller’s token; scopes of other teams hold', async () => {
    const url = await startGateway();
    const register = `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id costPerCall } }`;
    const input = { name: 'Mine', executionType: 'ECHO', visibility: 'PRIVATE', provider: { name: 'Us' } };
    expect((await ask(url, register, { input })).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
    const { registerAgent } = await data(url, register, { input }, token);
    const mine = '{ agent(handle: "mine") { id costPerCall provider { name discountPercent } } }';
    const refused = await ask(url, mine, {}, token);
    expect(refused.data['agent']).toEqual({ ...registerAgent, provider: { name: 'Us', discountPercent: null } });
    expect(refused.errors?.map(({ path, extensions }) => [path, extensions['code']])).toEqual([
      [['agent', 'provider', 'discountPercent'], 'FORBIDDEN'],
    ]);
    const allowed = await data(url, mine, {}, await tokenWith(me, 'costs:read'));
    expect(allowed.agent.provider.discountPercent).toEqual(expect.any(Number));
    expect((await data(url, mine, {}, await tokenWith(newId()))).agent).toBeNull();
  });

  test.each([
    ['graphql-ws at /subgraph, where it is looked for', undefined],
    ['server-sent events at /subgraph/stream', 'subgraph/stream'],
  ])('subscriptions of the registry come through it, by %s', async (_, path) => {
    const url = await startGateway(path && `${registryUrl}${path}`);
    const { agent } = await data(url, '{ agent(handle: "echo") { id costPerCall } }', {}, token);
    const { sendMessage } = await data(
      url,
      SEND,
      { input: { agentId: agent.id, text: 'stream: one two three', wait: true } },
      token,
    );
    const { id } = sendMessage.task;
    const { client } = connect(url, token);
    const whole: EventSeen[] = [];
    for await (const { data, errors } of subscribe<EventSeen>(client, EVENTS, { id, after: 0 })) {
      expect(errors).toBeUndefined();
      whole.push(data!['taskEvents']!);
    }
    expect(whole.length).toBeGreaterThan(3);
    expect(whole.map(({ sequence }) => sequence)).toEqual(whole.map((_event, i) => i + 1));
    expect(whole.at(-1)).toMatchObject({
      state: 'COMPLETED',
      task: { cost: agent.costPerCall, agent: { handle: 'echo', costPerCall: agent.costPerCall } },
    });
    const later: EventSeen[] = [];
    for await (const { data } of subscribe<EventSeen>(client, EVENTS, { id, after: 2 }))
      later.push(data!['taskEvents']!);
    expect(later).toEqual(whole.slice(2));
    await client.dispose();

    const stranger = connect(url, await tokenWith(newId())).client;
    const foreign = await subscribe<EventSeen>(stranger, EVENTS, { id })
      .next()
      .catch((thrown: unknown) => ({ value: { errors: thrown } }));
    expect(JSON.stringify(foreign.value)).toContain('TASK_NOT_FOUND');
    await stranger.dispose();
  });
});
