import { afterEach, describe, expect, it } from 'vitest';
import { type Planner, startPlanner } from '../../src/gateway/planner/process.ts';
import { compose } from './support/gateway.ts';
import { worldSubgraphs } from './support/subgraphs.ts';

/** A valid operation on which planner 0.0.38 ends its process ("panic in a function that cannot unwind"). */
const DEADLY = '{ items { creator { ... on Person { friends { id: id id } } } } }';

const planners: Planner[] = [];
afterEach(() => {
  for (const planner of planners.splice(0)) planner.close();
});
async function started(): Promise<Planner> {
  const planner = await startPlanner(compose(worldSubgraphs()));
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
