import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { bytesOf } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, failure, route, SPARK, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

describe('what goes on to a deployment', () => {
  it("is the caller's deadline, a little earlier, and tracing metadata alone", async () => {
    const a = await deployment('a', cleanup);
    const { raw } = await startRouted([route([a.row()])], cleanup);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer secret');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const deadlineMs = 3_000;
    const { createTask } = a;
    let arrived = 0;
    a.createTask = (call, callback) => {
      arrived = Date.now();
      createTask(call, callback);
    };
    const latest = Date.now() + deadlineMs;
    await raw('createTask', encodeCreate(createRequest()), { deadlineMs, metadata });
    const call = a.requests[0]?.call;
    expect(call?.metadata.get('traceparent')).toHaveLength(1);
    expect(call?.metadata.get('authorization')).toEqual([]);
    // It travels as the time that is left, so that a slow way puts it later.
    const deadline = Number(call?.getDeadline());
    expect(deadline - arrived).toBeLessThanOrEqual(deadlineMs - 249);
    expect(deadline).toBeGreaterThan(latest - 1_000);
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
      { ...SOON, interval: 200 },
    );
    expect(written).toBeLessThan(total / 2);
    let seen = 1;
    for await (const bytes of stream) seen += bytes.length === line.length ? 1 : 0;
    expect(seen).toBe(total);
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
    }, SOON);
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
