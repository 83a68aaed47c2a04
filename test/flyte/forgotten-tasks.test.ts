import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { TaskExecution_Phase as Phase } from '../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { afterTheTest, type Cleanup } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS, type DriverKind } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { admin } from './support/published.ts';
import { answers, SECRET_KEY, spark } from './support/recorded.ts';
import { startRegistered } from './support/registered.ts';

const cleanup = afterTheTest();

describe.each(DRIVERS)('tasks that propeller forgot (%s)', (kind: DriverKind) => {
  /** A database that outlives a server. */
  async function place(): Promise<Record<string, string>> {
    if (kind === 'pglite') {
      const directory = mkdtempSync(join(tmpdir(), 'rollcall-recorded-'));
      cleanup(() => rmSync(directory, { recursive: true, force: true }));
      return { DATABASE_URL: '', DATA_DIR: directory };
    }
    const { url, drop } = await createTestDatabase(kind);
    cleanup(drop);
    return { DATABASE_URL: url };
  }
  const started = (where: Record<string, string>, silenceMs: number, each: Cleanup) =>
    startRegistered(each, { ...where, SECRET_KEY, FLYTE_SILENCE_MS: String(silenceMs) });

  it('are asked for by Rollcall until their end, across a restart, and made once', async () => {
    const where = await place();
    const firstStops: (() => unknown)[] = [];
    const stopFirst = async (): Promise<void> => {
      for (const each of firstStops.splice(0).reverse()) await each();
    };
    cleanup(stopFirst);
    const first = await started(where, 1_000, (each) => firstStops.push(each));
    const one = await spark(first, cleanup);
    const job = await one.create();
    await vi.waitFor(() => expect(one.a.count('getTask')).toBeGreaterThan(0), SOON);
    expect((await one.inState('WORKING', first)).statusMessage.parts).toEqual([{ text: 'from a' }]);
    await stopFirst();

    answers(one.a, { phase: Phase.SUCCEEDED, message: 'done meanwhile' });
    one.a.requests.length = 0;
    const second = await started(where, 1_000, cleanup);
    const done = await one.inState('COMPLETED', second);
    expect(done.statusMessage.parts).toEqual([{ text: 'done meanwhile' }]);
    const asked = admin.GetTaskRequest.decode(one.a.requests.find(({ name }) => name === 'getTask')!.bytes);
    expect(Buffer.from(asked.resourceMeta).toString()).toBe('{"job":"a-1"}');
    expect(asked).toMatchObject({ outputPrefix: 's3://bucket/out', taskCategory: { name: one.type } });
    // The same attempt again: the job of before the restart.
    const again = await one.create(second);
    expect(Buffer.from(again.resourceMeta ?? [])).toEqual(Buffer.from(job.resourceMeta ?? []));
    expect(one.a.count('createTask')).toBe(0);
    expect(await one.tasks(second)).toHaveLength(1);
  });

  it('are left to propeller while it asks', async () => {
    const server = await started(await place(), 2_500, cleanup);
    const one = await spark(server, cleanup);
    const job = await one.create();
    let ours = 0;
    const until = Date.now() + 5_000;
    await vi.waitFor(
      async () => {
        await server.asyncService.getTask(job);
        ours += 1;
        expect(Date.now()).toBeGreaterThan(until);
      },
      { ...SOON, interval: 100 },
    );
    expect(one.a.count('getTask')).toBe(ours);
  });

  it('of a deployment that knows nothing of them end as of unknown outcome', async () => {
    const server = await started(await place(), 1_000, cleanup);
    const one = await spark(server, cleanup);
    await one.create();
    one.a.getTask = (_call, callback) => callback({ code: status.NOT_FOUND, details: 'no such job' });
    const task = await one.inState('FAILED');
    expect(task.statusMessage.parts[0].text).toContain('not known');
  });
});

describe.runIf(DRIVERS.includes('postgres'))('without a database server', () => {
  it('tasks are created and asked for, and recorded when it is back', async () => {
    const { url, drop } = await createTestDatabase('postgres');
    cleanup(drop);
    const way = await startTcpProxy(new URL(url), 5432);
    cleanup(() => way.close());
    const server = await startRegistered(cleanup, { DATABASE_URL: way.url, SECRET_KEY });
    const one = await spark(server, cleanup);
    const job = await one.create();
    await one.inState('SUBMITTED');
    await way.cut();
    await server.asyncService.getTask(job);
    const next = await server.asyncService.createTask(one.given(1));
    answers(one.a, { phase: Phase.SUCCEEDED });
    await server.asyncService.getTask({ resourceMeta: next.resourceMeta, ...one.of });
    expect(await server.listed()).toContain(`Agent of ${one.type}`);
    await way.mend();
    await vi.waitFor(
      async () => {
        expect((await one.tasks()).map(({ state }) => state).toSorted()).toEqual(['COMPLETED', 'WORKING']);
      },
      { ...SOON, timeout: 30_000 },
    );
  });
});
