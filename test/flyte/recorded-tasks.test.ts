import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { LOCAL_SUBJECT, LOCAL_USER } from '../../src/auth/principal.ts';
import { TaskExecution_Phase as Phase } from '../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { ask } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS, type DriverKind } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { bytesOf } from './support/deployment.ts';
import { admin } from './support/published.ts';
import { answers, INPUT, SECRET_KEY, spark, TASK } from './support/recorded.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';
import { createRequest, failure } from './support/routed.ts';

const cleanup = afterTheTest();

/** Everything that the database holds, as text. */
async function dump({ app: { database } }: Registered): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const rows = [];
  for (const { name } of tables) rows.push(await database.query(`select t::text as row from ${name} t`));
  return JSON.stringify(rows);
}

function over(server: Registered, query: string, variables: Record<string, unknown> = {}) {
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  cleanup(() => client.dispose());
  const seen: any[] = [];
  const done = (async () => {
    for await (const { data, errors } of client.iterate<any>({ query, variables })) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      seen.push(Object.values(data as object)[0]);
    }
  })();
  done.catch(() => undefined);
  return { seen, done };
}

describe.each(DRIVERS)("Flyte's tasks in the graph (%s)", (kind: DriverKind) => {
  let server: Registered;
  const stops: (() => unknown)[] = [];
  beforeAll(async () => {
    const { url, drop } = await createTestDatabase(kind);
    stops.push(drop);
    server = await startRegistered((each) => stops.push(each), { DATABASE_URL: url, SECRET_KEY });
  });
  afterAll(async () => {
    for (const each of stops.reverse()) await each();
  });
  let one: Awaited<ReturnType<typeof spark>>;
  beforeEach(async () => {
    one = await spark(server, cleanup);
  });

  it('are there from CreateTask on, and follow their phases with message and log links', async () => {
    const changes = over(
      server,
      'subscription($agentId: ID!) { tasksChanged(filter: { agentId: $agentId }) { taskId from to } }',
      { agentId: one.agentId },
    );
    const job = await one.create();
    const submitted = await one.inState('SUBMITTED');
    expect(submitted).toMatchObject({
      owner: LOCAL_SUBJECT,
      contextId: `flyte:p/d/${one.run}`,
      finishedAt: null,
      agent: { id: one.agentId },
      history: [{ role: 'USER', parts: [{ text: `${one.type}_v0, node n0 of p/d/${one.run}, attempt 0` }] }],
      metadata: {
        flyte: {
          taskType: one.type,
          version: 0,
          generation: 1,
          execution: { project: 'p', domain: 'd', run: one.run, node: 'n0', task: 'task', attempt: 0 },
          deployment: one.deploymentId,
          phase: 'QUEUED',
          logLinks: [],
        },
      },
    });
    const events = over(
      server,
      `subscription($id: ID!) { taskEvents(taskId: $id, after: 0) { kind state metadata message { parts { text } } } }`,
      { id: submitted.id },
    );
    await server.asyncService.getTask(job);
    const working = await one.inState('WORKING');
    expect(working.statusMessage.parts).toEqual([{ text: 'from a' }]);
    expect(working.metadata.flyte).toMatchObject({
      phase: 'RUNNING',
      logLinks: [{ name: 'log', uri: 'http://logs.example/1' }],
    });
    const logLinks = [
      { uri: 'https://logs.example/2', name: 'more' },
      { uri: 'javascript:alert(1)', name: 'no link for people' },
    ];
    answers(one.a, { phase: Phase.SUCCEEDED, message: 'all done', logLinks });
    await server.asyncService.getTask(job);
    const done = await one.inState('COMPLETED');
    expect(done.statusMessage.parts).toEqual([{ text: 'all done' }]);
    expect(done.metadata.flyte).toMatchObject({
      phase: 'SUCCEEDED',
      logLinks: [{ name: 'more', uri: 'https://logs.example/2' }],
    });
    expect(done.finishedAt).not.toBeNull();
    expect(done.artifacts ?? []).toEqual([]);
    await events.done;
    expect(events.seen.map(({ kind, state }) => [kind, state])).toEqual([
      ['CREATED', 'SUBMITTED'],
      ['STATUS', 'WORKING'],
      ['STATUS', 'COMPLETED'],
    ]);
    expect(events.seen[1].metadata.flyte.phase).toBe('RUNNING');
    await vi.waitFor(() => expect(changes.seen.at(-1)).toMatchObject({ taskId: done.id, to: 'COMPLETED' }), SOON);
    // A task never leaves its end.
    answers(one.a, { phase: Phase.RUNNING });
    await server.asyncService.getTask(job);
    expect((await one.tasks()).map(({ state }) => state)).toEqual(['COMPLETED']);
  });

  it('are written to when something changes, and not with every question', async () => {
    const job = await one.create();
    for (let i = 0; i < 20; i++) {
      answers(one.a, { phase: Phase.RUNNING, message: `step ${i}` });
      await server.asyncService.getTask(job);
    }
    const { id } = await one.inState('WORKING');
    answers(one.a, { phase: Phase.FAILED, message: 'broken' });
    await server.asyncService.getTask(job);
    await one.inState('FAILED');
    const log = await server.app.database.query('select kind from task_event where task = $1', [id]);
    expect(log).toHaveLength(3);
  });

  it('are counted as use of their agent, with failures and how long they took', async () => {
    const job = await one.create();
    answers(one.a, { phase: Phase.SUCCEEDED });
    await server.asyncService.getTask(job);
    await one.inState('COMPLETED');
    const second = await one.create(server, 1);
    answers(one.a, { phase: Phase.RETRYABLE_FAILED });
    await server.asyncService.getTask(second);
    await vi.waitFor(async () => {
      expect((await one.tasks()).map(({ state }) => state).toSorted()).toEqual(['COMPLETED', 'FAILED']);
    }, SOON);
    await server.app.core.registry.usage.flush();
    const usage = await server.app.database.query(
      'select calls::int, failures::int, (select count(*)::int from agent_latency l where l.agent = u.agent) as days from agent_usage u where u.agent = $1',
      [one.agentId],
    );
    expect(usage).toEqual([{ calls: 2, failures: 1, days: 1 }]);
  });

  it('are one for an attempt however often it is created, and another for the next', async () => {
    const first = await one.create();
    const again = await server.asyncService.createTask(one.given());
    expect(Buffer.from(again.resourceMeta ?? [])).toEqual(Buffer.from(first.resourceMeta ?? []));
    const both = await Promise.all([1, 1, 1].map((attempt) => server.asyncService.createTask(one.given(attempt))));
    expect(new Set(both.map(({ resourceMeta }) => Buffer.from(resourceMeta ?? []).toString('hex'))).size).toBe(1);
    expect(one.a.count('createTask')).toBe(2);
    expect((await one.tasks()).map((task) => task.metadata.flyte.execution.attempt).toSorted()).toEqual([0, 1]);
  });

  it('that could not be created have failed, and the same attempt may be made again', async () => {
    const { createTask } = one.a;
    one.a.createTask = (_call, callback) => callback({ code: status.INTERNAL, details: 'no room left' });
    await vi.waitFor(async () => expect(await server.listed()).toContain(`Agent of ${one.type}`), SOON);
    await vi.waitFor(async () => {
      expect((await failure(server.asyncService.createTask(one.given()))).details).toBe('no room left');
    }, SOON);
    const task = await one.inState('FAILED');
    expect(task.statusMessage.parts).toEqual([{ text: 'no room left' }]);
    one.a.createTask = createTask;
    await server.asyncService.createTask(one.given());
    expect((await one.tasks()).map(({ state }) => state).toSorted()).toEqual(['FAILED', 'SUBMITTED']);
  });

  it('keep neither inputs nor outputs, and resource_meta only sealed', async () => {
    const resourceMeta = Buffer.from('{"token":"planted-resource-secret"}');
    one.a.createTask = (_call, callback) =>
      callback(null, bytesOf(admin.CreateTaskResponse.encode({ resourceMeta }).finish()));
    const job = await one.create();
    const outputs = { literals: { o0: { scalar: { primitive: { stringValue: 'planted-output' } } } } };
    answers(one.a, { phase: Phase.SUCCEEDED, outputs });
    await server.asyncService.getTask(job);
    const task = await one.inState('COMPLETED');
    const all = await dump(server);
    expect(all).toContain(task.id);
    for (const planted of [
      INPUT,
      'planted-output',
      'planted-resource-secret',
      resourceMeta.toString('base64'),
      's3://bucket',
    ])
      expect(all).not.toContain(planted);
    expect(all).not.toContain(resourceMeta.toString('hex'));
  });

  it('that are synchronous are there too, with their end', async () => {
    const type = `boto-${randomUUID()}`;
    const a = await servingDeployment('a', cleanup);
    const agentId = await server.register(`Agent of ${type}`, { isSync: true });
    const deploymentId = await server.deploy(agentId, a);
    await server.app.core.registry.setTaskCategories(LOCAL_USER, agentId, [{ name: type, version: 0 }]);
    await vi.waitFor(async () => expect(await server.listed()).toContain(`Agent of ${type}`), SOON);
    const run = randomUUID();
    const { taskExecutionMetadata, template } = createRequest({ type, run });
    const header = bytesOf(
      admin.ExecuteTaskSyncRequest.encode({ header: { template, taskExecutionMetadata } }).finish(),
    );
    const inputs = bytesOf(admin.ExecuteTaskSyncRequest.encode({ inputs: createRequest().inputs }).finish());
    const execute = async (end = true) => {
      const same = (bytes: Buffer): Buffer => bytes;
      const path = '/flyteidl.service.SyncAgentService/ExecuteTaskSync';
      const stream = server.published.client.makeBidiStreamRequest(path, same, same);
      stream.on('error', () => undefined).resume();
      const done = new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code)));
      stream.write(header);
      stream.write(inputs);
      if (end) stream.end();
      return { stream, done };
    };
    const states = async (): Promise<string[]> => {
      const text = 'query($agentId: ID!) { tasks(filter: { agentId: $agentId }) { nodes { id state } } }';
      return (await server.query(text, { agentId })).tasks.nodes.map(({ state }: { state: string }) => state);
    };
    // A call that is refused before the table has the agent is no task.
    await vi.waitFor(async () => expect(await (await execute()).done).toBe(status.OK), SOON);
    await vi.waitFor(async () => expect(await states()).toEqual(['COMPLETED']), SOON);
    const text = `query($agentId: ID!) { tasks(filter: { agentId: $agentId }) { nodes { ${TASK} } } }`;
    const [task] = (await server.query(text, { agentId })).tasks.nodes;
    expect(task).toMatchObject({
      contextId: `flyte:p/d/${run}`,
      statusMessage: { parts: [{ text: 'from a' }] },
      metadata: { flyte: { taskType: type, phase: 'SUCCEEDED', deployment: deploymentId, execution: { run } } },
      artifacts: [],
    });
    expect(JSON.stringify(task)).not.toContain(INPUT);

    a.executeTaskSync = (call) => {
      call.resume();
      call.emit('error', { code: status.INVALID_ARGUMENT, details: 'no such bucket' });
    };
    expect(await (await execute()).done).toBe(status.INVALID_ARGUMENT);
    await vi.waitFor(async () => expect((await states()).sort()).toEqual(['COMPLETED', 'FAILED']), SOON);

    const begun = Promise.withResolvers<void>();
    a.executeTaskSync = (call) => call.once('data', () => begun.resolve());
    const left = await execute(false);
    await begun.promise;
    await vi.waitFor(async () => expect((await states()).sort()).toEqual(['COMPLETED', 'FAILED', 'SUBMITTED']), SOON);
    left.stream.cancel();
    expect(await left.done).toBe(status.CANCELLED);
    await vi.waitFor(async () => expect((await states()).sort()).toEqual(['CANCELED', 'COMPLETED', 'FAILED']), SOON);

    // What gives no final result has failed, though the call itself did not.
    a.executeTaskSync = (call) => call.resume().on('end', () => call.end());
    await (await execute()).done;
    const all = ['CANCELED', 'COMPLETED', 'FAILED', 'FAILED'];
    await vi.waitFor(async () => expect((await states()).sort()).toEqual(all), SOON);

    // Propeller leaves as soon as it has read the result: the call has not ended then, and has not failed.
    a.executeTaskSync = (call) =>
      call.once('data', () => {
        const resource = { phase: Phase.SUCCEEDED };
        call.write(bytesOf(admin.ExecuteTaskSyncResponse.encode({ header: { resource } }).finish()));
      });
    const served = await execute();
    served.stream.once('data', () => served.stream.cancel());
    expect(await served.done).toBe(status.CANCELLED);
    const metrics = async () => {
      const lines = (await (await fetch(new URL('metrics', server.url))).text()).split('\n');
      const ours = lines.filter((line) => line.startsWith('flyte_connector_requests_') && line.includes(type));
      return Object.fromEntries(ours.map((line) => [/"(\d+)"/.exec(line)?.[1] ?? 'OK', line.split(' ').at(-1)]));
    };
    await vi.waitFor(
      async () => expect((await states()).sort()).toEqual(['CANCELED', 'COMPLETED', ...all.slice(1)]),
      SOON,
    );
    // The one that left without a result is the one of 499.
    await vi.waitFor(async () => expect(await metrics()).toMatchObject({ OK: '3', 499: '1' }), SOON);
  });

  it('are cancelled where they run by cancelTask', async () => {
    const job = await one.create();
    const { id } = await one.inState('SUBMITTED');
    const cancel = 'mutation($input: CancelTaskInput!) { cancelTask(input: $input) { id state } }';
    one.a.deleteTask = (_call, callback) => callback({ code: status.FAILED_PRECONDITION, details: 'not now' });
    const { errors } = await ask(server.url, cancel, { input: { id } });
    expect(errors?.[0]?.extensions['code']).toBe('UPSTREAM_INVALID');
    await one.inState('SUBMITTED');
    one.a.deleteTask = (_call, callback) => callback(null, Buffer.alloc(0));
    expect((await server.query(cancel, { input: { id } })).cancelTask).toEqual({ id, state: 'CANCELED' });
    const deletion = admin.DeleteTaskRequest.decode(
      one.a.requests.findLast(({ name }) => name === 'deleteTask')!.bytes,
    );
    expect(Buffer.from(deletion.resourceMeta).toString()).toBe('{"job":"a-1"}');
    expect(deletion.taskCategory?.name).toBe(one.type);
    // What propeller hears afterwards changes nothing.
    await server.asyncService.getTask(job);
    expect((await one.inState('CANCELED')).finishedAt).not.toBeNull();
    const late = await ask(server.url, cancel, { input: { id } });
    expect(late.errors?.[0]?.extensions['code']).toBe('TASK_NOT_CANCELABLE');
  });

  it('are cancelled when Flyte deletes them', async () => {
    const job = await one.create();
    await server.asyncService.deleteTask(job);
    await one.inState('CANCELED');
  });

  it('take no messages', async () => {
    await one.create();
    const { id } = await one.inState('SUBMITTED');
    const send = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }';
    const { errors } = await ask(server.url, send, { input: { agentId: one.agentId, taskId: id, text: 'hello' } });
    expect(errors?.[0]?.extensions['code']).toMatch(/UNSUPPORTED_OPERATION|AGENT_NOT_REACHABLE/);
  });

  it('hold up nothing while the database does not answer, and are recorded afterwards', async () => {
    const job = await one.create();
    await one.inState('SUBMITTED');
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const stuck = server.app.database.transaction(async ({ query }) => {
      await query('lock table task, task_job, task_event, task_key in access exclusive mode');
      holding.resolve();
      await held.promise;
    });
    await holding.promise;
    try {
      const begun = performance.now();
      for (let i = 0; i < 20; i++) await server.asyncService.getTask(job);
      expect(performance.now() - begun).toBeLessThan(10_000);
      const { resourceMeta } = await server.asyncService.createTask(one.given(1));
      answers(one.a, { phase: Phase.SUCCEEDED });
      await server.asyncService.getTask({ resourceMeta, ...one.of });
    } finally {
      held.resolve();
      await stuck;
    }
    await vi.waitFor(async () => {
      const states = (await one.tasks()).map((task) => [task.metadata.flyte.execution.attempt, task.state]);
      expect(states.toSorted()).toEqual([
        [0, 'WORKING'],
        [1, 'COMPLETED'],
      ]);
    }, SOON);
  });

  it('of an agent that is driven by messages are recorded once', async () => {
    const type = `echo-${randomUUID()}`;
    const input = { name: type, executionType: 'ECHO', flyteName: type, taskCategories: [{ name: type }] };
    const { id } = await server.mutate('registerAgent', 'RegisterAgentInput', input);
    const { resourceMeta } = await vi.waitFor(
      () => server.asyncService.createTask(createRequest({ type, run: randomUUID() })),
      SOON,
    );
    const job = { resourceMeta, taskCategory: { name: type, version: 0 } };
    await vi.waitFor(async () => {
      expect((await server.asyncService.getTask(job)).resource?.phase).toBe(Phase.SUCCEEDED);
    }, SOON);
    const { tasks } = await server.query('query($id: ID!) { tasks(filter: { agentId: $id }) { nodes { state } } }', {
      id,
    });
    expect(tasks.nodes).toEqual([{ state: 'COMPLETED' }]);
  });
});
