import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Planner, type PlannerOptions, startPlanner } from '../../src/gateway/planner/process.ts';
import { type RestartPolicy, Restarts } from '../../src/gateway/planner/restarts.ts';
import { SOON } from '../support/soon.ts';
import { compose } from './support/gateway.ts';
import { worldSubgraphs } from './support/subgraphs.ts';

/** A valid operation on which planner 0.0.38 ends its process ("panic in a function that cannot unwind"). */
const DEADLY = '{ items { creator { ... on Person { friends { id: id id } } } } }';
/** The same fault under another text, so that no test meets what another one taught. */
const deadly = (name: string) => `query ${name} ${DEADLY}`;

const planners: Planner[] = [];
afterEach(() => {
  for (const planner of planners.splice(0)) planner.close();
});
async function started(options: PlannerOptions = {}): Promise<Planner> {
  const planner = await startPlanner(compose(worldSubgraphs()), options);
  planners.push(planner);
  return planner;
}

describe('the planner process', () => {
  it('plans', async () => {
    const planner = await started();
    expect(await planner.plan('{ kits { name } }', undefined)).toMatchObject({ kind: 'Fetch', serviceName: 'catalog' });
  });

  it('says what it cannot plan', async () => {
    const planner = await started();
    await expect(planner.plan('{ nothing }', undefined)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('survives an operation that kills it: that one fails, those around it are planned', async () => {
    const planner = await started();
    const outcomes = await Promise.allSettled([
      planner.plan('{ kits { name } }', undefined),
      planner.plan(DEADLY, undefined),
      planner.plan('{ books { id } }', undefined),
      planner.plan(DEADLY, undefined),
      planner.plan('{ warehouse { name } }', undefined),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await planner.plan('{ books { title } }', undefined)).toMatchObject({ serviceName: 'catalog' });
  });

  it('remembers what ended it: asked again, also of another planner, it is refused and nothing ends', async () => {
    const once: RestartPolicy = { atOnce: 0, windowMs: 60_000, pauseMs: 60_000, longestPauseMs: 60_000 };
    const query = deadly('Remembered');
    await expect((await started()).plan(query, 'Remembered')).rejects.toMatchObject({ code: 'INTERNAL' });
    // This one would pause for a minute at the first end of its process.
    const other = await started({ restarts: once });
    for (let i = 0; i < 3; i++) {
      await expect(other.plan(query, 'Remembered')).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    expect(await other.plan('{ books { title } }', undefined)).toMatchObject({ serviceName: 'catalog' });
  });

  it('is started again after a pause where it ends often, and says so meanwhile', async () => {
    const restarts: RestartPolicy = { atOnce: 1, windowMs: 60_000, pauseMs: 2_000, longestPauseMs: 4_000 };
    const planner = await started({ restarts });
    await expect(planner.plan(deadly('First'), 'First')).rejects.toMatchObject({ code: 'INTERNAL' });
    const [second, waiting] = await Promise.allSettled([
      planner.plan(deadly('Second'), 'Second'),
      planner.plan('{ books { id } }', undefined),
    ]);
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'INTERNAL' } });
    expect(waiting).toMatchObject({ status: 'rejected', reason: { code: 'OVERLOADED' } });
    await expect(planner.plan('{ books { id } }', undefined)).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringContaining('try again'),
    });
    await vi.waitFor(() => planner.plan('{ books { title } }', undefined), SOON);
  });

  it('pauses twice as long each time, up to a limit, until it has lived a while', () => {
    const restarts = new Restarts({ atOnce: 2, windowMs: 1_000, pauseMs: 10, longestPauseMs: 35 });
    expect([0, 1, 2, 3, 4, 5].map((now) => restarts.ended(now))).toEqual([0, 0, 10, 20, 35, 35]);
    expect(restarts.ended(2_000)).toBe(0);
  });

  it('is given up at its deadline', async () => {
    // Starting a process takes longer than a millisecond: the first thing asked of it is late.
    await expect(startPlanner(compose(worldSubgraphs()), { timeoutMs: 1 })).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('refuses what is no supergraph', async () => {
    await expect(startPlanner('type Query {')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      field: 'SUPERGRAPH',
    });
  });

  it('answers nothing more once closed', async () => {
    const planner = await started();
    const waiting = planner.plan('{ books { id } }', undefined);
    planner.close();
    await expect(waiting).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(planner.plan('{ books { id } }', undefined)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
