import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bytesOf, CONNECTOR } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import {
  type Cleanup,
  createRequest,
  deployment,
  encodeCreate,
  failure,
  route,
  SPARK,
  startRouted,
} from '../support/routed.ts';

const cleanups: (() => unknown)[] = [];
const cleanup: Cleanup = (each) => cleanups.push(each);
afterEach(async () => {
  for (const each of cleanups.splice(0).reverse()) await each();
});

/** A field that no definition of ours has: number 1999, a string. */
const UNKNOWN = Buffer.from([0xfa, 0x7c, 0x03, 0x66, 0x6f, 0x6f]);

describe('a job', () => {
  it("is polled and deleted at the deployment that created it, with that deployment's own resource_meta", async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { asyncService } = await startRouted([route([a.row(), b.row()])], cleanup);
    const makers = new Set<string>();
    for (let at = 0; at < 20; at++) {
      const { resourceMeta } = await asyncService.createTask(createRequest());
      const { resource } = await asyncService.getTask({ resourceMeta, ...SPARK });
      await asyncService.deleteTask({ resourceMeta, ...SPARK });
      const maker = [a, b].find((each) => resource?.message === `from ${each.id}`);
      makers.add(maker?.id ?? '');
      const [polled, deleted] = [maker?.requests.at(-2), maker?.requests.at(-1)];
      expect([polled?.name, deleted?.name]).toEqual(['getTask', 'deleteTask']);
      const own = { job: `${maker?.id}-${maker?.count('createTask')}` };
      const metaOf = (bytes: Buffer | undefined) =>
        JSON.parse(Buffer.from(admin.GetTaskRequest.decode(bytes ?? Buffer.of()).resourceMeta).toString());
      expect(metaOf(polled?.bytes)).toEqual(own);
      expect(metaOf(deleted?.bytes)).toEqual(own);
    }
    expect([...makers].sort()).toEqual(['a', 'b']);
  });

  it('passes through byte for byte but for resource_meta, unknown fields included', async () => {
    const a = await deployment('a', cleanup);
    const created = Buffer.concat([
      bytesOf(admin.CreateTaskResponse.encode({ resourceMeta: Buffer.from('job') }).finish()),
      UNKNOWN,
    ]);
    const state = Buffer.concat([bytesOf(admin.GetTaskResponse.encode({ resource: { phase: 2 } }).finish()), UNKNOWN]);
    a.createTask = (_call, callback) => callback(null, created);
    a.getTask = (_call, callback) => callback(null, state);
    const { raw } = await startRouted([route([a.row()])], cleanup);

    const create = Buffer.concat([UNKNOWN, encodeCreate(createRequest({ run: 'r1' })), UNKNOWN]);
    const response = await raw('createTask', create);
    expect(a.requests[0]?.bytes).toEqual(create);
    expect(response.subarray(0, created.length)).toEqual(created);
    const { resourceMeta } = admin.CreateTaskResponse.decode(response);
    expect(Buffer.from(resourceMeta)).not.toEqual(Buffer.from('job'));

    const get = Buffer.concat([
      UNKNOWN,
      bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...SPARK, outputPrefix: 's3://x' }).finish()),
    ]);
    expect(await raw('getTask', get)).toEqual(state);
    const sent = a.requests[1]?.bytes ?? Buffer.of();
    expect(sent.subarray(0, get.length)).toEqual(get);
    expect(Buffer.from(admin.GetTaskRequest.decode(sent).resourceMeta)).toEqual(Buffer.from('job'));
  });

  it('created before the router stood there is found by its bare resource_meta, and by the deprecated task_type alone', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const { resource } = await asyncService.getTask({ resourceMeta: Buffer.from('{"job":"old"}'), taskType: 'spark' });
    expect(resource?.message).toBe('from a');
    expect(Buffer.from(admin.GetTaskRequest.decode(a.requests[0]?.bytes ?? Buffer.of()).resourceMeta).toString()).toBe(
      '{"job":"old"}',
    );
  });

  it('gives metrics and logs, whose requests carry the category elsewhere', async () => {
    const a = await deployment('a', cleanup);
    a.getTaskLogs = (call) => {
      for (let at = 0; at < 200; at++) {
        call.write(bytesOf(admin.GetTaskLogsResponse.encode({ body: { results: [`${at}`] } }).finish()));
      }
      call.end();
    };
    const { asyncService, published } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    const { results } = await asyncService.getTaskMetrics({ resourceMeta, ...SPARK });
    expect(results?.[0]?.metric).toBe('cpu');
    const identity = (bytes: Buffer): Buffer => bytes;
    const request = bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta, ...SPARK }).finish());
    const stream = published.client.makeServerStreamRequest(
      '/flyteidl.service.AsyncAgentService/GetTaskLogs',
      identity,
      identity,
      request,
    );
    const lines: (string | undefined)[] = [];
    for await (const bytes of stream) lines.push(admin.GetTaskLogsResponse.decode(bytes).body?.results?.[0]);
    expect(lines).toEqual(Array.from({ length: 200 }, (_, at) => `${at}`));
    expect(
      Buffer.from(admin.GetTaskLogsRequest.decode(a.requests.at(-1)?.bytes ?? Buffer.of()).resourceMeta).toString(),
    ).toBe('{"job":"a-1"}');
  });
});

describe('a new task', () => {
  it('goes to no deployment that is draining, unhealthy or of weight 0, while their jobs are still polled', async () => {
    const all = [];
    for (const id of ['a', 'b', 'c', 'd']) all.push(await deployment(id, cleanup));
    const [a, b, c, d] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0], (typeof all)[0]];
    const { asyncService, routes } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    routes.change([route([a.row({ draining: true }), b.row({ healthy: false }), c.row({ weight: 0 }), d.row()])]);
    await vi.waitFor(async () => {
      await asyncService.createTask(createRequest());
      expect(d.count('createTask')).toBeGreaterThan(0);
    });
    const before = [a, b, c].map((each) => each.count('createTask'));
    for (let at = 0; at < 10; at++) await asyncService.createTask(createRequest());
    expect([a, b, c].map((each) => each.count('createTask'))).toEqual(before);
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.message).toBe('from a');
  });

  it('goes to another deployment when one cannot be reached', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { asyncService } = await startRouted([route([a.row(), b.row()])], cleanup);
    a.stop();
    for (let at = 0; at < 20; at++) await asyncService.createTask(createRequest());
    expect(b.count('createTask')).toBe(20);
  });

  it('waits for its only deployment to come back, as long as there is time', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    a.stop();
    const created = asyncService.createTask(createRequest());
    setTimeout(() => void a.start(), 100);
    expect((await created).resourceMeta?.length).toBeGreaterThan(0);
  });

  it('is not sent a second time once it was sent', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    for (const each of [a, b])
      each.createTask = (_call, callback) => callback({ code: status.UNAVAILABLE, details: 'lost' });
    const { asyncService } = await startRouted([route([a.row(), b.row()])], cleanup);
    expect(await failure(asyncService.createTask(createRequest()))).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'lost',
    });
    expect(a.count('createTask') + b.count('createTask')).toBe(1);
  });

  it('is created once per attempt, however often and at the same time it is asked for', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const request = createRequest({ run: 'r1' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => asyncService.createTask(request)));
    answers.push(await asyncService.createTask(request));
    expect(new Set(answers.map(({ resourceMeta }) => Buffer.from(resourceMeta ?? []).toString('hex'))).size).toBe(1);
    expect(a.count('createTask')).toBe(1);
    await asyncService.createTask(createRequest({ run: 'r1', attempt: 1 }));
    await asyncService.createTask(createRequest({ run: 'r2' }));
    await asyncService.createTask(createRequest());
    await asyncService.createTask(createRequest());
    expect(a.count('createTask')).toBe(5);
  });

  it('may be created after a failure of the same attempt', async () => {
    const a = await deployment('a', cleanup);
    const working = a.createTask;
    a.createTask = (_call, callback) => callback({ code: status.RESOURCE_EXHAUSTED, details: 'quota' });
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const request = createRequest({ run: 'r1' });
    expect((await failure(asyncService.createTask(request))).code).toBe(status.RESOURCE_EXHAUSTED);
    a.createTask = working;
    expect((await asyncService.createTask(request)).resourceMeta?.length).toBeGreaterThan(0);
  });
});

describe('GetTask', () => {
  it('is tried again while the deployment stumbles', async () => {
    const a = await deployment('a', cleanup);
    const working = a.getTask;
    let stumbles = 2;
    a.getTask = (call, callback) => {
      if (stumbles-- > 0) callback({ code: status.UNKNOWN, details: 'hiccup' });
      else working(call, callback);
    };
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.message).toBe('from a');
    expect(a.count('getTask')).toBe(3);
  });

  it('answers the last known phase, whole but for the message, while the deployment is away; then the new one', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, log } = await startRouted([route([a.row({ timeoutsMs: { getTask: 300 } })])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    await asyncService.getTask({ resourceMeta, ...SPARK });
    a.stop();
    const { resource } = await asyncService.getTask({ resourceMeta, ...SPARK });
    expect(resource).toMatchObject({ phase: 2, logLinks: [{ uri: 'http://logs.example/1' }] });
    expect(resource?.message).toContain('last known phase');
    expect(log.lines.some((line) => line.message === 'Flyte GetTask answered from memory')).toBe(true);
    await a.start();
    await vi.waitFor(
      async () => expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.message).toBe('from a'),
      { timeout: 5_000 },
    );
  });

  it('answers QUEUED for a job that was never polled before its deployment went away', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row({ timeoutsMs: { getTask: 200 } })])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    a.stop();
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.phase).toBe(1);
  });

  it('answers a final state as it was', async () => {
    const a = await deployment('a', cleanup);
    const done = bytesOf(admin.GetTaskResponse.encode({ resource: { phase: 3, message: 'done' } }).finish());
    a.getTask = (_call, callback) => callback(null, done);
    const { asyncService } = await startRouted([route([a.row({ timeoutsMs: { getTask: 200 } })])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    await asyncService.getTask({ resourceMeta, ...SPARK });
    a.stop();
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource).toMatchObject({
      phase: 3,
      message: 'done',
    });
  });

  it('answers from memory before the caller gives up on a deployment that hangs', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, raw } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    a.getTask = () => undefined;
    const request = bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...SPARK }).finish());
    const answer = await raw('getTask', request, { deadlineMs: 500 });
    expect(admin.GetTaskResponse.decode(answer).resource?.message).toContain('DEADLINE_EXCEEDED');
  });

  it('stops answering from memory after a while, so that a job which is lost does not run for ever', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row({ timeoutsMs: { getTask: 200 } })])], cleanup, {
      lastKnown: { staleMs: -1 },
    });
    const { resourceMeta } = await asyncService.createTask(createRequest());
    a.stop();
    expect((await failure(asyncService.getTask({ resourceMeta, ...SPARK }))).code).toBe(status.UNAVAILABLE);
  });

  it('passes a final error on', async () => {
    const a = await deployment('a', cleanup);
    a.getTask = (_call, callback) => callback({ code: status.NOT_FOUND, details: 'no such job' });
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    expect(await failure(asyncService.getTask({ resourceMeta, ...SPARK }))).toMatchObject({
      code: status.NOT_FOUND,
      details: 'no such job',
    });
    expect(a.count('getTask')).toBe(1);
  });
});

describe('DeleteTask', () => {
  it('succeeds for a job that the deployment no longer knows', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    await asyncService.deleteTask({ resourceMeta, ...SPARK });
    a.deleteTask = (_call, callback) => callback({ code: status.NOT_FOUND, details: 'gone' });
    await asyncService.deleteTask({ resourceMeta, ...SPARK });
    expect(a.count('deleteTask')).toBe(2);
  });
});

describe('what goes on to a deployment', () => {
  it("is the caller's deadline, a little earlier, and tracing metadata alone", async () => {
    const a = await deployment('a', cleanup);
    const { raw } = await startRouted([route([a.row()])], cleanup);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer secret');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const deadlineMs = 3_000;
    const latest = Date.now() + deadlineMs;
    await raw('createTask', encodeCreate(createRequest()), { deadlineMs, metadata });
    const call = a.requests[0]?.call;
    expect(call?.metadata.get('traceparent')).toHaveLength(1);
    expect(call?.metadata.get('authorization')).toEqual([]);
    expect(Number(call?.getDeadline())).toBeLessThanOrEqual(latest);
    expect(Number(call?.getDeadline())).toBeGreaterThan(latest - 1_000);
  });

  it("is the operation's own limit, when the caller has a later one", async () => {
    const a = await deployment('a', cleanup);
    a.createTask = () => undefined;
    const { raw } = await startRouted([route([a.row({ timeoutsMs: { createTask: 100 } })])], cleanup);
    expect((await failure(raw('createTask', encodeCreate(createRequest())))).code).toBe(status.DEADLINE_EXCEEDED);
  });

  it("is the caller's cancellation", async () => {
    const a = await deployment('a', cleanup);
    const cancelled = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    a.createTask = (call) => {
      call.on('cancelled', () => cancelled.resolve());
      arrived.resolve();
    };
    const { raw } = await startRouted([route([a.row()])], cleanup);
    // A deadline within the test's time would end the call as well.
    const call = raw('createTask', encodeCreate(createRequest({ run: 'r1' })), { deadlineMs: 60_000 });
    await arrived.promise;
    call.cancel();
    expect((await failure(call)).code).toBe(status.CANCELLED);
    await cancelled.promise;
  });
});

describe('a stream of logs', () => {
  const identity = (bytes: Buffer): Buffer => bytes;
  const path = '/flyteidl.service.AsyncAgentService/GetTaskLogs';

  it('is cancelled at the deployment when the caller cancels', async () => {
    const a = await deployment('a', cleanup);
    const cancelled = Promise.withResolvers<void>();
    a.getTaskLogs = (call) => {
      call.on('cancelled', () => cancelled.resolve());
      call.write(bytesOf(admin.GetTaskLogsResponse.encode({ body: { results: ['1'] } }).finish()));
    };
    const { published } = await startRouted([route([a.row()])], cleanup);
    const request = bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta: Buffer.of(1), ...SPARK }).finish());
    const stream = published.client.makeServerStreamRequest(path, identity, identity, request);
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.cancel();
    await cancelled.promise;
  });

  it('waits for a caller that reads slowly, and loses nothing', async () => {
    const a = await deployment('a', cleanup);
    const line = bytesOf(admin.GetTaskLogsResponse.encode({ body: { results: ['x'.repeat(64_000)] } }).finish());
    const total = 500;
    let written = 0;
    a.getTaskLogs = (call) => {
      const write = (): void => {
        while (written < total) {
          written += 1;
          if (!call.write(line)) return void call.once('drain', write);
        }
        call.end();
      };
      write();
    };
    const { published } = await startRouted([route([a.row()])], cleanup);
    const request = bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta: Buffer.of(1), ...SPARK }).finish());
    const stream = published.client.makeServerStreamRequest(path, identity, identity, request);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.pause();
    // The writer comes to rest long before the end: 32 MB must not pile up in between.
    let before = -1;
    await vi.waitFor(
      () => {
        const same = written === before;
        before = written;
        expect(same).toBe(true);
      },
      { interval: 200 },
    );
    expect(written).toBeLessThan(total / 2);
    let seen = 1;
    for await (const bytes of stream) seen += bytes.length === line.length ? 1 : 0;
    expect(seen).toBe(total);
  });
});

describe('what cannot be routed', () => {
  const codeOf = async (promise: Promise<unknown>) => {
    const { code, details } = await failure(promise);
    return [code, details];
  };

  it('says why', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, raw } = await startRouted(
      [
        route([a.row()]),
        route([a.row()], { agent: 'Boto Agent', isSync: true, categories: [{ name: 'boto', version: 0 }] }),
        route([a.row()], { agent: 'Old Agent', active: false, categories: [{ name: 'old', version: 0 }] }),
        route([a.row({ draining: true })], { agent: 'Busy Agent', categories: [{ name: 'busy', version: 0 }] }),
        route([], { agent: 'Bare Agent', categories: [{ name: 'bare', version: 0 }] }),
      ],
      cleanup,
    );
    const create = (type: string, version = 0) => codeOf(asyncService.createTask(createRequest({ type, version })));
    expect(await create('spark', 3)).toEqual([status.NOT_FOUND, 'Cannot find agent for task category: spark_v3.']);
    expect(await create('boto')).toEqual([
      status.FAILED_PRECONDITION,
      'Task category boto_v0 belongs to the sync agent "Boto Agent": call ExecuteTaskSync.',
    ]);
    expect(await create('old')).toEqual([
      status.FAILED_PRECONDITION,
      'Agent "Old Agent" is inactive: it takes no new tasks.',
    ]);
    expect(await create('')).toEqual([status.INVALID_ARGUMENT, expect.stringContaining('template.type')]);
    expect(await codeOf(asyncService.createTask({}))).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringContaining('template'),
    ]);
    expect(await codeOf(raw('createTask', Buffer.from([0x12, 0xff])))).toEqual([
      status.INVALID_ARGUMENT,
      'The request is not a valid protobuf message.',
    ]);
    expect(await codeOf(asyncService.getTask({ resourceMeta: Buffer.of(1) }))).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringContaining('task_category.name'),
    ]);
    const tried = { deadlineMs: 400 };
    expect(await codeOf(raw('createTask', encodeCreate(createRequest({ type: 'busy' })), tried))).toEqual([
      status.UNAVAILABLE,
      'No deployment of agent "Busy Agent" takes new tasks of this generation of Flyte (1 draining, 0 unhealthy, 0 of weight 0).',
    ]);
    expect((await codeOf(raw('createTask', encodeCreate(createRequest({ type: 'bare' })), tried)))[1]).toContain(
      'none is registered',
    );
    expect(a.requests).toEqual([]);
  });

  it('says RESOURCE_EXHAUSTED when the deployment has too many calls already', async () => {
    const a = await deployment('a', cleanup);
    a.createTask = () => undefined;
    const { raw } = await startRouted([route([a.row()])], cleanup, { maxCallsPerDeployment: 1 });
    const first = raw('createTask', encodeCreate(createRequest()));
    await vi.waitFor(() => expect(a.requests).toHaveLength(1));
    expect((await failure(raw('createTask', encodeCreate(createRequest())))).code).toBe(status.RESOURCE_EXHAUSTED);
    first.cancel();
    await failure(first);
  });

  it('keeps what a Python traceback comes to, and not the traceback', async () => {
    const a = await deployment('a', cleanup);
    const details =
      'failed to create task with error:\nTraceback (most recent call last):\n  File "/opt/agent.py", line 3, in create\n    raise ValueError("bad")\nValueError: bad table\n';
    a.createTask = (_call, callback) => callback({ code: status.INTERNAL, details });
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    const error = await failure(asyncService.createTask(createRequest()));
    expect(error.details).toBe('failed to create task with error:\nValueError: bad table');
  });
});

describe('the second generation', () => {
  it('is routed by the same fields, to its own deployments alone', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { raw, asyncService } = await startRouted([route([a.row(), b.row({ generation: 2 })])], cleanup);
    const service = CONNECTOR;
    for (let at = 0; at < 5; at++) {
      await asyncService.createTask(createRequest());
      const created = await raw('createTask', encodeCreate(createRequest()), { service });
      const { resourceMeta } = admin.CreateTaskResponse.decode(created);
      const request = bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...SPARK }).finish());
      const state = await raw('getTask', request, { service });
      expect(admin.GetTaskResponse.decode(state).resource?.message).toBe('from b');
    }
    expect([a.count('createTask'), b.count('createTask')]).toEqual([5, 5]);
    const paths = new Set(b.requests.map(({ call }) => call.getPath().split('/')[1]));
    expect([...paths]).toEqual(['flyteidl2.connector.AsyncConnectorService']);
  });
});

describe('channels', () => {
  it('are one per deployment, and opened anew when the deployment moves', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { asyncService, routes, opened } = await startRouted([route([a.row()])], cleanup);
    for (let at = 0; at < 3; at++) await asyncService.createTask(createRequest());
    expect(opened).toEqual([a.row().address]);
    routes.change([route([{ ...b.row(), id: 'a' }])]);
    await vi.waitFor(async () => {
      await asyncService.createTask(createRequest());
      expect(b.count('createTask')).toBe(1);
    });
    expect(opened).toEqual([a.row().address, b.row().address]);
  });

  it('that the factory refuses fail with its reason, and are asked for again', async () => {
    const a = await deployment('a', cleanup);
    const { RollcallError } = await import('../../../src/errors.ts');
    let asked = 0;
    const { asyncService } = await startRouted([route([a.row()])], cleanup, {
      connect: () => {
        asked += 1;
        throw new RollcallError('EGRESS_DENIED', 'Add 10.0.0.0/8 to EGRESS_ALLOW.');
      },
    });
    for (const times of [1, 2]) {
      expect(await failure(asyncService.createTask(createRequest()))).toMatchObject({
        code: status.PERMISSION_DENIED,
        details: 'Add 10.0.0.0/8 to EGRESS_ALLOW.',
      });
      expect(asked).toBe(times);
    }
  });

  it('that are never opened do not outlast the call', async () => {
    const a = await deployment('a', cleanup);
    const { raw } = await startRouted([route([a.row({ timeoutsMs: { createTask: 100 } })])], cleanup, {
      connect: () => new Promise(() => undefined),
    });
    expect((await failure(raw('createTask', encodeCreate(createRequest())))).code).toBe(status.DEADLINE_EXCEEDED);
  });
});
