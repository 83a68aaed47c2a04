import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byWeight, chooseForNewTask } from '../../../src/flyte/routing/choose.ts';
import type { FlyteDeployment } from '../../../src/flyte/routing/deployments.ts';
import { LastKnown } from '../../../src/flyte/routing/last-known.ts';
import { Once } from '../../../src/flyte/routing/once.ts';
import { Suspects } from '../../../src/flyte/routing/suspects.ts';
import { bytesOf } from '../support/deployment.ts';
import { admin } from '../support/published.ts';

const state = (phase: number, message = ''): Buffer =>
  bytesOf(admin.GetTaskResponse.encode({ resource: { phase, message } }).finish());
const never = new AbortController().signal;

describe('Once', () => {
  it('runs again when the time is over, and when it failed', async () => {
    let now = 0;
    let runs = 0;
    const once = new Once(100, 10, () => now);
    const work = async (): Promise<Buffer> => Buffer.from(`${++runs}`);
    const answers = [await once.run('k', never, work)];
    now = 100;
    answers.push(await once.run('k', never, work));
    now = 101;
    answers.push(await once.run('k', never, work));
    expect(answers.map(String)).toEqual(['1', '1', '2']);
    await expect(once.run('other', never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(String(await once.run('other', never, work))).toBe('3');
  });

  it('goes on for the others when one caller leaves, and is cancelled with the last one', async () => {
    const once = new Once(100, 10);
    let cancelled = false;
    const work = (signal: AbortSignal): Promise<Buffer> =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          cancelled = true;
          reject(signal.reason);
        }),
      );
    const [first, second] = [new AbortController(), new AbortController()];
    const a = once.run('k', first.signal, work);
    const b = once.run('k', second.signal, work);
    first.abort();
    await expect(a).rejects.toThrow();
    expect(cancelled).toBe(false);
    second.abort();
    await expect(b).rejects.toThrow();
    expect(cancelled).toBe(true);
    expect(String(await once.run('k', never, async () => Buffer.from('new')))).toBe('new');
  });

  it('keeps no more results than it may', async () => {
    const once = new Once(1_000, 2);
    let runs = 0;
    const work = async (): Promise<Buffer> => Buffer.from(`${++runs}`);
    for (const key of ['a', 'b', 'c', 'c', 'b']) await once.run(key, never, work);
    expect(runs).toBe(3);
    await once.run('a', never, work);
    expect(runs).toBe(4);
  });
});

describe('LastKnown', () => {
  it('stays within its bounds, whatever it is told, and forgets the job asked for least recently', () => {
    const told = fc.array(fc.tuple(fc.nat(20), fc.nat(40)), { maxLength: 60 });
    fc.assert(
      fc.property(told, (jobs) => {
        const known = new LastKnown({ maxEntries: 5, maxBytes: 100, staleMs: 1_000 });
        const model: { key: number; size: number }[] = [];
        for (const [key, length] of jobs) {
          const response = state(2, 'x'.repeat(length));
          known.remember(`${key}`, response);
          const old = model.findIndex((entry) => entry.key === key);
          if (old >= 0) model.splice(old, 1);
          model.push({ key, size: response.length });
          while (model.length > 5 || model.reduce((sum, { size }) => sum + size, 0) > 100) model.shift();
          for (let each = 0; each <= 20; each++) {
            const expected = model.some((entry) => entry.key === each);
            expect(known.recall(`${each}`, 'r') !== undefined).toBe(expected);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('repeats a phase that is not final for a limited time, and a final one as it was', () => {
    let now = 0;
    const known = new LastKnown({ maxEntries: 5, maxBytes: 1_000, staleMs: 100 }, () => now);
    known.remember('running', state(2, 'm'));
    known.remember('done', state(3, 'm'));
    const read = (job: string) => {
      const bytes = known.recall(job, 'away');
      return bytes === undefined ? undefined : admin.GetTaskResponse.decode(bytes).resource?.message;
    };
    now = 100;
    expect([read('running'), read('done')]).toEqual(['away', 'm']);
    now = 101;
    expect([read('running'), read('done')]).toEqual([undefined, 'm']);
    known.forget('done');
    expect(read('done')).toBeUndefined();
  });
});

describe('Suspects', () => {
  it('are suspected longer after each failure, and no more after a success', () => {
    let now = 0;
    const suspects = new Suspects(() => now);
    const heldFor = (): number => {
      const begin = now;
      suspects.failed('a');
      while (suspects.has('a')) now += 100;
      return now - begin;
    };
    const holds = Array.from({ length: 8 }, heldFor);
    expect(holds).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    suspects.succeeded('a');
    expect(heldFor()).toBe(500);
  });
});

describe('the choice of a deployment', () => {
  const deployment = (id: string, weight: number, more: Partial<FlyteDeployment> = {}): FlyteDeployment => ({
    id,
    address: 'localhost:1',
    tls: false,
    generation: 1,
    weight,
    draining: false,
    healthy: true,
    ...more,
  });

  it('follows the weights exactly over evenly spread random numbers', () => {
    const deployments = [deployment('a', 3), deployment('b', 1), deployment('c', 6)];
    const counts = new Map<string, number>();
    for (let at = 0; at < 1_000; at++) {
      const id = byWeight(deployments, () => at / 1_000)?.id ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ a: 300, b: 100, c: 600 });
  });

  it('takes a suspect only when there are suspects alone, and never one that takes no new tasks', () => {
    const closed = [deployment('x', 0), deployment('y', 1, { draining: true }), deployment('z', 1, { healthy: false })];
    const open = [deployment('a', 1), deployment('b', 1)];
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.subarray(['a', 'b']), (at, suspects) => {
        const chosen =
          chooseForNewTask(
            [...closed, ...open],
            (id) => suspects.includes(id),
            () => at,
          )?.id ?? '';
        const trusted = ['a', 'b'].filter((id) => !suspects.includes(id));
        expect(trusted.length > 0 ? trusted : ['a', 'b']).toContain(chosen);
      }),
    );
    expect(chooseForNewTask(closed, () => false)).toBeUndefined();
  });
});
