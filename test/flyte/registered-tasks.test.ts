import { randomUUID } from 'node:crypto';
import { Metadata, Server, ServerCredentials, type StatusObject, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOCAL_USER } from '../../src/auth/principal.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { selfSigned } from '../upstream/egress-certificate.ts';
import { type Bytes, bytesOf, type TestDeployment } from './support/deployment.ts';
import { admin } from './support/published.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';
import { createRequest, encodeCreate, failure } from './support/routed.ts';

const cleanup = afterTheTest();

/** For what makes many calls itself: how fast they are is not the question. */
const IN_TIME = { ...SOON, timeout: 60_000 };
/** A field that no definition of ours has: number 1999, a string. */
const UNKNOWN = Buffer.from([0xfa, 0x7c, 0x03, 0x66, 0x6f, 0x6f]);
const identity = (bytes: Bytes): Bytes => bytes;

let server: Registered;
const stops: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRegistered((each) => stops.push(each));
});
afterAll(async () => {
  for (const each of stops.reverse()) await each();
});
/** A category of this test alone. */
let type = '';
beforeEach(() => {
  type = `spark-${randomUUID()}`;
});
const agentName = (): string => `Agent of ${type}`;
const meta = (version = 0) => ({ taskCategory: { name: type, version } });
const request = (more: { version?: number } = {}) => createRequest({ type, ...more });

const serving = (id: string): Promise<TestDeployment> => servingDeployment(id, cleanup);

/** An async agent for the category, and its deployments with their ids in the registry. */
async function spark(deployments: readonly TestDeployment[], more: Record<string, unknown> = {}) {
  const agentId = await server.register(agentName(), { taskCategories: [{ name: type }] });
  const ids = [];
  for (const each of deployments) ids.push(await server.deploy(agentId, each, more));
  return { agentId, ids };
}

/** The first task that is taken after a change: the routing table follows within a second. */
const created = (given: object = request()) => vi.waitFor(() => server.asyncService.createTask(given), SOON);

async function execute(messages: readonly Bytes[], deadlineMs = 5_000) {
  const path = '/flyteidl.service.SyncAgentService/ExecuteTaskSync';
  const options = { deadline: Date.now() + deadlineMs };
  const stream = server.published.client.makeBidiStreamRequest(path, identity, identity, new Metadata(), options);
  const answers: Bytes[] = [];
  stream.on('data', (bytes: Bytes) => answers.push(bytes));
  stream.on('error', () => undefined);
  const done = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
  for (const message of messages) stream.write(message);
  stream.end();
  const { code, details } = await done;
  return { code, details, answers };
}

const header = (type: string): Bytes =>
  bytesOf(admin.ExecuteTaskSyncRequest.encode({ header: { template: { type }, outputPrefix: 's3://out' } }).finish());

function logsOf(resourceMeta: Uint8Array) {
  const asked = bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta, ...meta() }).finish());
  const path = '/flyteidl.service.AsyncAgentService/GetTaskLogs';
  const options = { deadline: Date.now() + 5_000 };
  return server.published.client.makeServerStreamRequest(path, identity, identity, asked, new Metadata(), options);
}

describe('tasks of registered agents', () => {
  it('go to the deployment that owns the version of their category: created, polled, deleted twice', async () => {
    const [a, b] = [await serving('a'), await serving('b')];
    for (const [version, at] of [a, b].entries()) {
      const categories = [{ name: type, version }];
      const id = await server.register(`${agentName()} ${version}`, { taskCategories: categories });
      await server.deploy(id, at);
    }
    for (const [version, at] of [a, b].entries()) {
      const { resourceMeta } = await created(request({ version }));
      const { resource } = await server.asyncService.getTask({ resourceMeta, ...meta(version) });
      expect(resource).toMatchObject({ phase: 2, message: `from ${at.id}` });
      await server.asyncService.deleteTask({ resourceMeta, ...meta(version) });
      at.deleteTask = (_call, callback) => callback({ code: status.NOT_FOUND, details: 'gone' });
      await server.asyncService.deleteTask({ resourceMeta, ...meta(version) });
      expect(at.requests.map(({ name }) => name)).toEqual(['createTask', 'getTask', 'deleteTask', 'deleteTask']);
    }
    expect(await failure(server.asyncService.createTask(request({ version: 2 })))).toMatchObject({
      code: status.NOT_FOUND,
      details: `Cannot find agent for task category: ${type}_v2.`,
    });
  });

  it('arrive byte for byte, with fields that nobody here knows, and so do the answers', async () => {
    const a = await serving('a');
    const answer = Buffer.concat([bytesOf(admin.GetTaskResponse.encode({ resource: { phase: 2 } }).finish()), UNKNOWN]);
    a.getTask = (_call, callback) => callback(null, answer);
    await spark([a]);
    const { resourceMeta } = await created();
    const call = (method: string, sent: Bytes): Promise<Bytes> =>
      new Promise((resolve, reject) => {
        const path = `/flyteidl.service.AsyncAgentService/${method}`;
        server.published.client.makeUnaryRequest(path, identity, identity, sent, (error, bytes) =>
          error === null ? resolve(bytes ?? Buffer.of()) : reject(error),
        );
      });
    const create = Buffer.concat([UNKNOWN, encodeCreate(request()), UNKNOWN]);
    await call('CreateTask', create);
    expect(a.requests.at(-1)?.bytes).toEqual(create);
    const get = Buffer.concat([UNKNOWN, bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...meta() }).finish())]);
    expect(await call('GetTask', get)).toEqual(answer);
    expect(a.requests.at(-1)?.bytes.subarray(0, get.length)).toEqual(get);
  });

  it('are shared by weight: a canary gets its part', async () => {
    const [stable, canary] = [await serving('stable'), await serving('canary')];
    const { ids } = await spark([stable, canary]);
    await server.redeploy(ids[0]!, { weight: 900 });
    await server.redeploy(ids[1]!, { weight: 0 });
    const only = async (at: TestDeployment): Promise<void> => {
      for (let i = 0; i < 20; i++) await server.asyncService.createTask(request());
      expect([stable, canary].filter((each) => each.count('createTask') > 0)).toEqual([at]);
    };
    await created();
    // The table may have been read between the two changes.
    await vi.waitFor(async () => {
      for (const each of [stable, canary]) each.requests.length = 0;
      await only(stable);
    }, IN_TIME);
    await server.redeploy(ids[1]!, { weight: 300 });
    await vi.waitFor(async () => {
      await server.asyncService.createTask(request());
      expect(canary.count('createTask')).toBeGreaterThan(0);
    }, IN_TIME);
    for (const each of [stable, canary]) each.requests.length = 0;
    const total = 240;
    for (let i = 0; i < total; i++) await server.asyncService.createTask(request());
    // A quarter, give or take six standard deviations.
    expect(canary.count('createTask')).toBeGreaterThan(20);
    expect(canary.count('createTask')).toBeLessThan(100);
    expect(stable.count('createTask')).toBe(total - canary.count('createTask'));
    await server.redeploy(ids[1]!, { weight: 1000 });
    await server.redeploy(ids[0]!, { weight: 0 });
    await vi.waitFor(async () => {
      for (const each of [stable, canary]) each.requests.length = 0;
      await only(canary);
    }, IN_TIME);
  });

  it('leave a deployment that drains, while its jobs are polled and deleted there', async () => {
    const [old, next] = [await serving('old'), await serving('next')];
    const { agentId, ids } = await spark([old]);
    const { resourceMeta } = await created();
    await server.deploy(agentId, next);
    await server.redeploy(ids[0]!, { draining: true });
    await vi.waitFor(async () => {
      const before = old.count('createTask');
      for (let i = 0; i < 10; i++) await server.asyncService.createTask(request());
      expect(old.count('createTask')).toBe(before);
    }, SOON);
    expect(next.count('createTask')).toBeGreaterThanOrEqual(10);
    expect((await server.asyncService.getTask({ resourceMeta, ...meta() })).resource?.message).toBe('from old');
    await server.asyncService.deleteTask({ resourceMeta, ...meta() });
    expect(old.count('deleteTask')).toBe(1);
    // Once it is removed nobody else is asked: another deployment may know another job of that name.
    await server.mutate('removeDeployment', 'RemoveDeploymentInput', { id: ids[0] });
    const gone = () => failure(server.asyncService.deleteTask({ resourceMeta, ...meta() }));
    await vi.waitFor(async () => expect((await gone()).code).toBe(status.UNAVAILABLE), SOON);
    expect(next.requests.filter(({ name }) => name !== 'createTask')).toEqual([]);
  });

  it('stay where they were begun when their agent loses its last category to another one', async () => {
    const [a, b] = [await serving('a'), await serving('b')];
    const { agentId } = await spark([a]);
    const { resourceMeta } = await created();
    const set = (of: string, taskCategories: object[]) =>
      server.mutate('setTaskCategories', 'SetTaskCategoriesInput', { agentId: of, taskCategories });
    await set(agentId, []);
    const next = await server.register(`Next ${agentName()}`, { taskCategories: [{ name: type }] });
    await server.deploy(next, b);
    await vi.waitFor(async () => {
      await server.asyncService.createTask(request());
      expect(b.count('createTask')).toBeGreaterThan(0);
    }, SOON);
    const job = { resourceMeta, ...meta() };
    expect((await server.asyncService.getTask(job)).resource?.message).toBe('from a');
    await server.asyncService.deleteTask(job);
    expect(a.count('deleteTask')).toBe(1);
    expect(b.requests.filter(({ name }) => name !== 'createTask')).toEqual([]);
  });

  it('that are synchronous are answered in the first message', async () => {
    const a = await serving('a');
    const id = await server.register(agentName(), { isSync: true, taskCategories: [{ name: type }] });
    await server.deploy(id, a);
    const inputs = bytesOf(admin.ExecuteTaskSyncRequest.encode({ inputs: { literals: { x: {} } } }).finish());
    const sent = [header(type), inputs];
    const { answers } = await vi.waitFor(async () => {
      const done = await execute(sent);
      expect(done.code, done.details).toBe(status.OK);
      return done;
    }, SOON);
    expect(answers).toHaveLength(1);
    const { resource } = admin.ExecuteTaskSyncResponse.decode(answers[0] ?? Buffer.of()).header ?? {};
    expect(resource).toMatchObject({ phase: 3, message: 'from a' });
    expect(a.requests.map(({ bytes }) => bytes)).toEqual(sent);
  });

  it('give their logs as a stream', async () => {
    const a = await serving('a');
    a.getTaskLogs = (call) => {
      for (let at = 0; at < 50; at++)
        call.write(bytesOf(admin.GetTaskLogsResponse.encode({ body: { results: [`${at}`] } }).finish()));
      call.end();
    };
    await spark([a]);
    const { resourceMeta } = await created();
    const lines: (string | undefined)[] = [];
    for await (const bytes of logsOf(resourceMeta ?? Buffer.of()))
      lines.push(admin.GetTaskLogsResponse.decode(bytes as Bytes).body?.results?.[0]);
    expect(lines).toEqual(Array.from({ length: 50 }, (_, at) => `${at}`));
  });

  it('of an inactive agent go on, and no new ones begin', async () => {
    const a = await serving('a');
    const { agentId } = await spark([a]);
    const { resourceMeta } = await created();
    await server.mutate('setAgentStatus', 'SetAgentStatusInput', { id: agentId, status: 'INACTIVE' });
    await vi.waitFor(
      async () =>
        expect(await failure(server.asyncService.createTask(request()))).toMatchObject({
          code: status.FAILED_PRECONDITION,
          details: `Agent "${agentName()}" is inactive: it takes no new tasks.`,
        }),
      SOON,
    );
    expect((await server.asyncService.getTask({ resourceMeta, ...meta() })).resource?.message).toBe('from a');
  });
});

describe('a deployment that', () => {
  const codeOf = async (work: Promise<unknown>) => {
    const { code, details } = await failure(work);
    return { code, details };
  };

  it('is down is told of by name, and its agent stays listed', async () => {
    const a = await serving('a');
    a.stop();
    await spark([a], { timeouts: { createTask: 300 } });
    await vi.waitFor(async () => {
      const { code, details } = await codeOf(server.asyncService.createTask(request()));
      expect(code).toBe(status.UNAVAILABLE);
      expect(details).toContain(`127.0.0.1:${a.port}`);
    }, SOON);
    expect(await server.listed()).toContain(agentName());
  });

  it('speaks plaintext, or has a certificate that nobody trusts, is told of by how TLS failed', async () => {
    const plain = await serving('plain');
    const { cert, key } = selfSigned(['agent.example']);
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
    const untrusted = new Server();
    cleanup(() => untrusted.forceShutdown());
    const port = await new Promise<number>((resolve, reject) =>
      untrusted.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    const agentId = await server.register(agentName(), {
      taskCategories: [{ name: type }, { name: type, version: 1 }],
    });
    const deploy = (endpoint: string): Promise<{ id: string }> =>
      server.mutate('registerDeployment', 'RegisterDeploymentInput', {
        agentId,
        endpoint,
        timeouts: { createTask: 300 },
      });
    const told = (text: string) =>
      vi.waitFor(
        async () =>
          expect(await codeOf(server.asyncService.createTask(request()))).toEqual({
            code: status.UNAVAILABLE,
            details: text,
          }),
        SOON,
      );
    const { id } = await deploy(`127.0.0.1:${plain.port}`);
    await told(`127.0.0.1:${plain.port} cannot be reached: TLS failed (wrong version number).`);
    await server.mutate('removeDeployment', 'RemoveDeploymentInput', { id });
    await deploy(`127.0.0.1:${port}`);
    await told(`127.0.0.1:${port} cannot be reached: TLS failed (self-signed certificate).`);
  });

  it('hangs costs the time of its timeout, and GetTask nothing but freshness', async () => {
    const a = await serving('a');
    await spark([a], { timeouts: { createTask: 200, getTask: 200, deleteTask: 200 } });
    const { resourceMeta } = await created();
    a.createTask = () => undefined;
    a.getTask = () => undefined;
    a.deleteTask = () => undefined;
    const job = { resourceMeta, ...meta() };
    expect((await codeOf(server.asyncService.createTask(request()))).code).toBe(status.DEADLINE_EXCEEDED);
    expect((await server.asyncService.getTask(job)).resource).toMatchObject({
      phase: 1,
      message: expect.stringContaining('last known phase'),
    });
    expect((await codeOf(server.asyncService.deleteTask(job))).code).toBe(status.DEADLINE_EXCEEDED);
  });

  it('dies in the middle of a stream ends it with UNAVAILABLE', async () => {
    const a = await serving('a');
    a.getTaskLogs = (call) => {
      call.write(bytesOf(admin.GetTaskLogsResponse.encode({ body: { results: ['1'] } }).finish()));
    };
    const way = await startTcpProxy(new URL(`http://127.0.0.1:${a.port}`), 80);
    cleanup(() => way.close());
    const agentId = await server.register(agentName(), { taskCategories: [{ name: type }] });
    const input = { agentId, endpoint: new URL(way.url).host, tls: false };
    await server.mutate('registerDeployment', 'RegisterDeploymentInput', input);
    const { resourceMeta } = await created();
    const stream = logsOf(resourceMeta ?? Buffer.of());
    const done = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    await way.cut();
    expect((await done).code).toBe(status.UNAVAILABLE);
  });

  it('answers UNIMPLEMENTED is passed on as it is', async () => {
    const a = await serving('a');
    a.createTask = (_call, callback) => callback({ code: status.UNIMPLEMENTED, details: 'not here' });
    await spark([a]);
    await vi.waitFor(
      async () =>
        expect(await codeOf(server.asyncService.createTask(request()))).toEqual({
          code: status.UNIMPLEMENTED,
          details: 'not here',
        }),
      SOON,
    );
  });

  it('lies where nothing may be called is never called, though an export brought it', async () => {
    const a = await serving('a');
    const strict = await startRegistered(cleanup, { EGRESS_ALLOW: '10.9.9.9' });
    const record = {
      kind: 'agent',
      handle: 'loaded',
      name: 'Loaded',
      executionType: 'flyte',
      flyteName: 'Loaded Agent',
      taskCategories: [{ name: type }],
      deployments: [{ endpoint: `127.0.0.1:${a.port}`, tls: false }],
    };
    const { problems } = await strict.app.core.registry.loadRecords(LOCAL_USER, [record]);
    expect(problems).toEqual([]);
    await vi.waitFor(async () => {
      const { code, details } = await codeOf(strict.asyncService.createTask(request()));
      expect(code, details).toBe(status.PERMISSION_DENIED);
      expect(details).toContain('EGRESS_ALLOW');
    }, SOON);
    expect(a.requests).toEqual([]);
  });
});

describe('what cannot be done', () => {
  it('says why, with its code, and reaches no deployment', async () => {
    const a = await serving('a');
    await spark([a]);
    const boto = `boto-${type}`;
    const sync = await server.register(`Sync ${agentName()}`, { isSync: true, taskCategories: [{ name: boto }] });
    await server.deploy(sync, a);
    await created();
    a.requests.length = 0;
    const raw = (method: string, bytes: Bytes) =>
      new Promise<never>((resolve, reject) => {
        const path = `/flyteidl.service.AsyncAgentService/${method}`;
        server.published.client.makeUnaryRequest(path, identity, identity, bytes, (error) =>
          error === null ? resolve(undefined as never) : reject(error),
        );
      });
    const code = async (work: Promise<unknown>) => (await failure(work)).code;
    const { asyncService } = server;
    // The table has both agents once the sync one is found.
    await vi.waitFor(
      async () =>
        expect(await failure(asyncService.createTask(createRequest({ type: boto })))).toMatchObject({
          code: status.FAILED_PRECONDITION,
          details: `Task category ${boto}_v0 belongs to the sync agent "Sync ${agentName()}": call ExecuteTaskSync.`,
        }),
      SOON,
    );
    expect(await code(asyncService.createTask({}))).toBe(status.INVALID_ARGUMENT);
    expect(await code(asyncService.createTask({ template: {} }))).toBe(status.INVALID_ARGUMENT);
    expect(await code(asyncService.createTask(createRequest({ type: 'nobody' })))).toBe(status.NOT_FOUND);
    expect(await code(asyncService.getTask({ resourceMeta: Buffer.of(1) }))).toBe(status.INVALID_ARGUMENT);
    expect(await code(raw('CreateTask', Buffer.from([0x12, 0xff])))).toBe(status.INVALID_ARGUMENT);
    expect(await code(raw('GetTask', Buffer.from('garbage that is no message')))).toBe(status.INVALID_ARGUMENT);
    expect(await code(raw('CreateTask', Buffer.alloc(65 << 20, 0x61)))).toBe(status.RESOURCE_EXHAUSTED);
    expect(await execute([header(type)])).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: `Task category ${type}_v0 belongs to the async agent "${agentName()}": call CreateTask.`,
    });
    expect(await execute([header('')])).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await execute([Buffer.from([0x0a, 0xff])])).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(a.requests).toEqual([]);
    // And it still works.
    await asyncService.createTask(request());
    expect(a.requests).toHaveLength(1);
  });
});
