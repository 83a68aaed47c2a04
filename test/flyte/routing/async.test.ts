import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../../support/cleanup.ts';
import { bytesOf, CONNECTOR } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, route, SPARK, startRouted } from '../support/routed.ts';

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
