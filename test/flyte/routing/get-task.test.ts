import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { bytesOf } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, failure, route, SPARK, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

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
    const { asyncService, log } = await startRouted([route([a.row({ timeoutsMs: { getTask: 1_000 } })])], cleanup);
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
      SOON,
    );
  });

  it('answers QUEUED for a job that was never polled before its deployment went away', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService } = await startRouted([route([a.row({ timeoutsMs: { getTask: 200 } })])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    a.stop();
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.phase).toBe(1);
  });

  it('answers the last known phase for what is no answer, and remembers none of it', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, raw } = await startRouted([route([a.row({ timeoutsMs: { getTask: 200 } })])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    await asyncService.getTask({ resourceMeta, ...SPARK });
    const unknown = bytesOf(admin.GetTaskRequest.encode({ resourceMeta: Buffer.from('other'), ...SPARK }).finish());
    for (const garbage of [Buffer.from('ffffffffffff', 'hex'), Buffer.from([0x0a, 2, 0xff, 0xff])]) {
      a.getTask = (_call, callback) => callback(null, garbage);
      expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.phase).toBe(2);
      const { code, details } = await failure(raw('getTask', unknown));
      expect({ code, details }).toEqual({
        code: status.INTERNAL,
        details: 'The answer to GetTask is not a GetTaskResponse.',
      });
    }
    // An answer, though it says nothing.
    a.getTask = (_call, callback) => callback(null, Buffer.alloc(0));
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource ?? null).toBeNull();
    a.stop();
    const { resource } = await asyncService.getTask({ resourceMeta, ...SPARK });
    expect(resource).toMatchObject({ phase: 2, logLinks: [{ uri: 'http://logs.example/1' }] });
  });

  it('answers a final state as it was', async () => {
    const a = await deployment('a', cleanup);
    const done = bytesOf(admin.GetTaskResponse.encode({ resource: { phase: 3, message: 'done' } }).finish());
    a.getTask = (_call, callback) => callback(null, done);
    const { asyncService } = await startRouted([route([a.row({ timeoutsMs: { getTask: 1_000 } })])], cleanup);
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
    const answer = await raw('getTask', request, { deadlineMs: 2_500 });
    expect(admin.GetTaskResponse.decode(answer).resource?.message).toContain('DEADLINE_EXCEEDED');
  });

  it('keeps a fifth of a short deadline for the answer from memory', async () => {
    const a = await deployment('a', cleanup);
    const { asyncService, raw } = await startRouted([route([a.row()])], cleanup);
    const { resourceMeta } = await asyncService.createTask(createRequest());
    let given = Number.POSITIVE_INFINITY;
    a.getTask = (call) => {
      given = Number(call.getDeadline()) - Date.now();
    };
    const request = bytesOf(admin.GetTaskRequest.encode({ resourceMeta, ...SPARK }).finish());
    const answer = await raw('getTask', request, { deadlineMs: 1_000 });
    expect(admin.GetTaskResponse.decode(answer).resource?.message).toContain('last known phase');
    expect(given).toBeLessThan(800);
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
