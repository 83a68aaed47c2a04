import { Client, credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, failure, route, SPARK, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

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
    }, SOON);
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

  it('finds, after more than three seconds too, what was registered while it waited', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    a.stop();
    let tries = 0;
    const { raw, routes } = await startRouted([route([a.row()])], cleanup, {
      connect: ({ address }) => {
        if (address === b.row().address) return new Client(address, credentials.createInsecure());
        tries += 1;
        // The first seven tries take three seconds.
        if (tries === 9) routes.change([route([b.row()])]);
        throw new RollcallError('UPSTREAM_UNREACHABLE', `${address} cannot be reached.`);
      },
    });
    const created = await raw('createTask', encodeCreate(createRequest()), { deadlineMs: 30_000 });
    expect(admin.CreateTaskResponse.decode(created).resourceMeta.length).toBeGreaterThan(0);
    expect(b.count('createTask')).toBe(1);
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

  it('whose deployment answers what is no answer fails as its mistake, not as the mistake of the caller', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row()])], cleanup);
    a.createTask = (_call, callback) => callback(null, Buffer.from('ffffffffffff', 'hex'));
    const { code, details } = await failure(asyncService.createTask(createRequest()));
    expect({ code, details }).toEqual({
      code: status.INTERNAL,
      details: `127.0.0.1:${a.port} answered CreateTask with bytes that are no CreateTaskResponse.`,
    });
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
    const tried = { deadlineMs: 2_000 };
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
    await vi.waitFor(() => expect(a.requests).toHaveLength(1), SOON);
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
