import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { bytesOf, CONNECTOR } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, failure, route, SPARK, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

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

describe('a job whose category changes hands', () => {
  /** What becomes of the agent that created the job; another agent has its category then. */
  const CHANGES = {
    'to another version of it': { categories: [{ name: 'spark', version: 7 }] },
    'to nothing': { categories: [] },
    'to a kind that is sync': { categories: [{ name: 'boto', version: 0 }], isSync: true },
  };

  it.each(Object.entries(CHANGES))('stays with the deployment that created it (%s)', async (_, changed) => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { asyncService, routes, raw } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    routes.change([route([a.row()], { agent: 'Old Agent', ...changed }), route([b.row()])]);
    await vi.waitFor(async () => {
      await asyncService.createTask(createRequest());
      expect(b.count('createTask')).toBeGreaterThan(0);
    }, SOON);
    const job = { resourceMeta, ...SPARK };
    expect((await asyncService.getTask(job)).resource?.message).toBe('from a');
    await asyncService.getTaskMetrics(job);
    await asyncService.deleteTask(job);
    // Of the second generation's callers it is none: there it is nobody's.
    const request = bytesOf(admin.GetTaskRequest.encode(job).finish());
    expect((await failure(raw('getTask', request, { service: CONNECTOR }))).code).toBe(status.UNAVAILABLE);
    expect(a.requests.map(({ name }) => name).slice(-3)).toEqual(['getTask', 'getTaskMetrics', 'deleteTask']);
    expect(b.requests.filter(({ name }) => name !== 'createTask')).toEqual([]);
  });

  it('stays there when its own agent turns sync, or nobody has the category', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, routes } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    const refused = async (code: number): Promise<void> =>
      expect((await failure(asyncService.createTask(createRequest()))).code).toBe(code);
    routes.change([route([a.row()], { isSync: true })]);
    await vi.waitFor(() => refused(status.FAILED_PRECONDITION), SOON);
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.message).toBe('from a');
    routes.change([route([a.row()], { categories: [{ name: 'boto', version: 0 }] })]);
    await vi.waitFor(() => refused(status.NOT_FOUND), SOON);
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.message).toBe('from a');
  });
});

describe('a job whose deployment is removed', () => {
  const GONE = {
    code: status.UNAVAILABLE,
    details: 'The deployment that created this job is no longer registered, and no other is asked in its place.',
  };

  it.each([
    ['with others left', true],
    ['with none left', false],
    ['with its agent', undefined],
  ])('is not asked for or deleted anywhere else (%s)', async (_, left) => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const { asyncService, routes } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    await asyncService.getTask({ resourceMeta, ...SPARK });
    routes.change(left === undefined ? [] : [route(left ? [b.row()] : [])]);
    const job = { resourceMeta, ...SPARK };
    await vi.waitFor(async () => {
      const { resource } = await asyncService.getTask(job);
      expect(resource).toMatchObject({ phase: 2, message: expect.stringContaining('is not registered any more') });
    }, SOON);
    expect(await failure(asyncService.deleteTask(job))).toMatchObject(GONE);
    expect(await failure(asyncService.getTaskMetrics(job))).toMatchObject(GONE);
    expect(a.count('deleteTask')).toBe(0);
    expect(b.requests).toEqual([]);
  });

  it('gets an error where nothing is known of it', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, routes } = await startRouted([route([a.row()])], cleanup, { lastKnown: { staleMs: -1 } });
    const { resourceMeta } = await asyncService.createTask(createRequest());
    routes.change([route([])]);
    await vi.waitFor(
      async () => expect(await failure(asyncService.getTask({ resourceMeta, ...SPARK }))).toMatchObject(GONE),
      SOON,
    );
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
