import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { TestDeployment } from '../support/deployment.ts';
import { createRequest, deployment, encodeCreate, failure, route, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

const probes = { intervalMs: 20, timeoutMs: 1_000, retryMs: 20, maxRetryMs: 80 };
const create = () => encodeCreate(createRequest());

async function withHealth(id: string, health: TestDeployment['health']): Promise<TestDeployment> {
  const made = new TestDeployment(id);
  made.health = health;
  await made.start();
  cleanup(() => made.stop());
  return made;
}

describe('a deployment that is probed', () => {
  it('gets new tasks only while it says that it serves; its jobs are polled all the same', async () => {
    const [a, b] = [await withHealth('a', 1), await withHealth('b', 1)];
    const { raw, asyncService, log } = await startRouted([route([a.row(), b.row({ weight: 0 })])], cleanup, { probes });
    const { resourceMeta } = await asyncService.createTask(createRequest());
    a.health = 2;
    await vi.waitFor(
      async () =>
        expect(await failure(raw('createTask', create(), { deadlineMs: 1_000 }))).toMatchObject({
          code: status.UNAVAILABLE,
          details: expect.stringContaining('(0 draining, 1 unhealthy, 1 of weight 0)'),
        }),
      SOON,
    );
    const polled = await asyncService.getTask({ resourceMeta, taskCategory: { name: 'spark' } });
    expect(polled.resource?.message).toBe('from a');
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'Flyte deployment is not well',
      fields: { deployment: 'a', address: `127.0.0.1:${a.port}`, health: 'not_serving' },
    });
    a.health = 1;
    const before = a.count('createTask');
    await vi.waitFor(() => raw('createTask', create()), SOON);
    expect(a.count('createTask')).toBe(before + 1);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', fields: { health: 'serving' } });
    expect(b.requests).toEqual([]);
  });

  it('is passed over when it cannot be reached, before a task finds out', async () => {
    const [a, b] = [await withHealth('a', 'hang'), await withHealth('b', 1)];
    const { raw, log } = await startRouted([route([a.row({ weight: 1_000_000 }), b.row()])], cleanup, { probes });
    await vi.waitFor(() => expect(log.lines).toContainEqual(expect.objectContaining({ level: 'warn' })), SOON);
    expect(log.lines.at(-1)).toMatchObject({ fields: { deployment: 'a', health: 'unreachable' } });
    await raw('createTask', create());
    expect([a.count('createTask'), b.count('createTask')]).toEqual([0, 1]);
  });

  it('is asked less and less often while it is not well', async () => {
    const a = await withHealth('a', 2);
    await startRouted([route([a.row()])], cleanup, { probes: { ...probes, retryMs: 100, maxRetryMs: 100_000 } });
    await vi.waitFor(() => expect(a.asked).toBe(3), SOON);
    const begun = performance.now();
    await vi.waitFor(() => expect(a.asked).toBe(4), SOON);
    // The third pause: four times the first, less what passed until the third question was seen.
    expect(performance.now() - begun).toBeGreaterThan(300);
  });

  it('is well when it takes connections and has no health service', async () => {
    const a = await deployment('a', cleanup);
    const { raw, opened, log } = await startRouted([route([a.row()])], cleanup, { probes });
    await vi.waitFor(() => expect(opened).toEqual([`127.0.0.1:${a.port}`]), SOON);
    for (let i = 0; i < 5; i++) await raw('createTask', create());
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('is no longer probed once it drains or is gone, nor after the server stopped', async () => {
    const [a, b] = [await withHealth('a', 1), await withHealth('b', 1)];
    const { routes, server } = await startRouted([route([a.row(), b.row()])], cleanup, { probes });
    const more = async (at: TestDeployment): Promise<void> => {
      const before = at.asked;
      await vi.waitFor(() => expect(at.asked).toBeGreaterThan(before + 1), SOON);
    };
    await more(a);
    await more(b);
    routes.change([route([a.row({ draining: true }), b.row()])]);
    await vi.waitFor(async () => {
      const before = a.asked;
      await more(b);
      expect(a.asked).toBe(before);
    }, SOON);
    routes.change([route([a.row()])]);
    await more(a);
    await server.close(0);
    const [left, right] = [a.asked, b.asked];
    // Probes of another server are the clock.
    const clock = await withHealth('clock', 1);
    await startRouted([route([clock.row()])], cleanup, { probes });
    for (let i = 0; i < 3; i++) await more(clock);
    expect([a.asked, b.asked]).toEqual([left, right]);
  });

  it('is asked through the door that every connection goes through, and a refusal there is no end', async () => {
    const a = await withHealth('a', 1);
    let refusals = 0;
    const connect = (): never => {
      refusals += 1;
      throw new RollcallError('EGRESS_DENIED', 'not there');
    };
    const { raw } = await startRouted([route([a.row()])], cleanup, { probes, connect });
    await vi.waitFor(() => expect(refusals).toBeGreaterThan(2), SOON);
    expect(await failure(raw('createTask', create()))).toMatchObject({ details: 'not there' });
    expect(a.asked).toBe(0);
  });
});
