import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { Query } from '../../src/database/drivers.ts';
import { newId } from '../../src/database/ids.ts';
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
    registry.usage.record(a.id, false, at(5));
    registry.usage.record(a.id, true, at(3));
    registry.usage.record(b.id, false, at(1));
    registry.usage.record(newId(), false);
    await registry.usage.flush();
    registry.usage.record(a.id, true, at(4));
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
});
