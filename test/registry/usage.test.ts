import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { Query } from '../../src/database/drivers.ts';
import { newId } from '../../src/database/ids.ts';
import { ACCURACY } from '../../src/registry/latency.ts';
import { createUsageMeter } from '../../src/registry/usage.ts';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

const silent = pino({ level: 'silent' });

describe.each(DRIVERS)('usage (%s)', (kind) => {
  const shared = sharedRegistry(kind);

  test('calls and failures add up over flushes, and the newest moment stays', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const [a, b] = [await agent(me), await agent(me)];
    const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    registry.usage.record(a.id, false, { at: at(5) });
    registry.usage.record(a.id, true, { at: at(3) });
    registry.usage.record(b.id, false, { at: at(1) });
    registry.usage.record(newId(), false);
    await registry.usage.flush();
    registry.usage.record(a.id, true, { at: at(4) });
    await registry.usage.flush();
    await registry.usage.flush();
    expect(await registry.usageOfAgents([b.id, a.id])).toEqual([
      { agentId: b.id, calls: 1, failures: 0, lastUsedAt: at(1) },
      { agentId: a.id, calls: 3, failures: 2, lastUsedAt: at(5) },
    ]);
    expect((await registry.agent(me, a.id)).revision).toBe(1);
  });

  test('a flush that fails keeps the counts for the next one, with those that came meanwhile', async () => {
    const { registry, agent, database } = shared();
    const { id } = await agent(someone());
    let down = true;
    const query: Query = async (...args) => {
      if (!down) return database.query(...args);
      meter.record(id, false);
      throw new Error('the database is away');
    };
    const meter = createUsageMeter(query, silent, 3_600_000);
    meter.record(id, true);
    await meter.flush();
    expect((await registry.usageOfAgents([id]))[0]!.calls).toBe(0);
    down = false;
    await meter.stop();
    expect((await registry.usageOfAgents([id]))[0]).toMatchObject({ calls: 2, failures: 1 });
  });

  test('it is written by itself after its interval', async () => {
    const { agent, database } = shared();
    const { id } = await agent(someone());
    let meter: ReturnType<typeof createUsageMeter> | undefined;
    const written = new Promise<unknown>((resolve) => {
      const query: Query = async (...args) => {
        const rows = await database.query(...args);
        resolve(rows);
        return rows as never;
      };
      meter = createUsageMeter(query, silent, 5);
    });
    meter!.record(id, false);
    await written;
    await meter!.stop();
    expect(await database.query('select calls from agent_usage where agent = $1', [id])).toEqual([{ calls: 1 }]);
  });

  test('latencies add up over flushes and servers, and percentiles stand for all of them', async () => {
    const { registry, agent, database } = shared();
    const [a, b] = [await agent(someone()), await agent(someone())];
    const other = createUsageMeter(database.query, silent, 3_600_000);
    for (let ms = 1; ms <= 50; ms++) registry.usage.record(a.id, false, { latencyMs: ms });
    registry.usage.record(a.id, true);
    await registry.usage.flush();
    for (let ms = 51; ms <= 100; ms++) other.record(a.id, false, { latencyMs: ms * 10 });
    await other.stop();
    registry.usage.record(a.id, false, { latencyMs: 2_000 });
    await registry.usage.flush();
    const [none, latency] = await registry.latencyOfAgents([b.id, a.id]);
    expect(none).toBeUndefined();
    expect(latency!.calls).toBe(101);
    const within = (ms: number, exact: number) => expect(Math.abs(ms - exact) / exact).toBeLessThan(ACCURACY + 1e-9);
    within(latency!.p50, 510);
    within(latency!.p95, 960);
    within(latency!.p99, 1_000);
    expect((await registry.usageOfAgents([a.id]))[0]).toMatchObject({ calls: 102, failures: 1 });
  });

  test('a flush that fails keeps the latencies, too', async () => {
    const { registry, agent, database } = shared();
    const { id } = await agent(someone());
    let down = true;
    const query: Query = (...args) =>
      down ? Promise.reject(new Error('the database is away')) : database.query(...args);
    const meter = createUsageMeter(query, silent, 3_600_000);
    meter.record(id, false, { latencyMs: 10 });
    await meter.flush();
    meter.record(id, false, { latencyMs: 10 });
    await meter.flush();
    down = false;
    await meter.stop();
    expect(await registry.latencyOfAgents([id])).toMatchObject([{ calls: 2 }]);
  });

  test('days that are over a week old count no more, and are removed', async () => {
    const { registry, agent, database } = shared();
    const { id } = await agent(someone());
    const meter = createUsageMeter(database.query, silent, 3_600_000);
    const daysAgo = (days: number): Date => new Date(Date.now() - days * 24 * 60 * 60 * 1_000);
    meter.record(id, false, { latencyMs: 10, at: daysAgo(6) });
    meter.record(id, false, { latencyMs: 90_000, at: daysAgo(7) });
    meter.record(id, false, { latencyMs: 90_000, at: daysAgo(30) });
    await meter.stop();
    expect(await registry.latencyOfAgents([id])).toMatchObject([{ calls: 1 }]);
    expect(await database.query('select count(*)::int as n from agent_latency where agent = $1', [id])).toEqual([
      { n: 1 },
    ]);
    expect((await registry.usageOfAgents([id]))[0]!.calls).toBe(3);
  });
});
