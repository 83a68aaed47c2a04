import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../src/errors.ts';
import { Lanes } from '../../src/tasks/log/lanes.ts';

interface Item {
  readonly key: string;
  readonly n: number;
  readonly bad: boolean;
}

const options = { lanes: 3, batch: 8, queue: 1_000 };

describe('grouped writes', () => {
  it('never fail a good item for a bad neighbour, and keep the order of a key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bad: fc.boolean() }), { maxLength: 60 }),
        async (given) => {
          const items: Item[] = given.map((it, n) => ({ ...it, n }));
          const written: Item[] = [];
          const lanes = new Lanes<Item, number>(async (batch) => {
            await new Promise((resolve) => setImmediate(resolve));
            if (batch.some((item) => item.bad)) throw new Error('one of them is bad');
            written.push(...batch);
            return batch.map((item) => item.n);
          }, options);
          const results = await Promise.allSettled(items.map((item) => lanes.add(item.key, item)));
          await lanes.drained();
          results.forEach((result, i) => {
            if (result.status === 'fulfilled') expect(result.value).toBe(i);
            if (items[i]!.bad) expect(result.status).toBe('rejected');
          });
          // A good item fails only behind a bad one of its own key in the same batch.
          for (const [i, result] of results.entries()) {
            if (result.status === 'fulfilled' || items[i]!.bad) continue;
            expect(items.slice(0, i).some((other) => other.key === items[i]!.key && other.bad)).toBe(true);
          }
          for (const key of ['a', 'b', 'c', 'd', 'e']) {
            const order = written.filter((item) => item.key === key).map((item) => item.n);
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('share a batch when they come together, and wait for nobody when alone', async () => {
    const batches: number[] = [];
    const lanes = new Lanes<number, number>(
      async (items) => {
        batches.push(items.length);
        return items;
      },
      { ...options, lanes: 1, batch: 100 },
    );
    await lanes.add('k', 1);
    await Promise.all(Array.from({ length: 50 }, (_, i) => lanes.add(`k${i}`, i)));
    expect(batches).toEqual([1, 50]);
  });

  it('are tried again while the database is away, saying that they may have been written', async () => {
    const tries: boolean[] = [];
    const lanes = new Lanes<number, number>(
      async (items, again) => {
        tries.push(again);
        if (tries.length < 3) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        return items;
      },
      { ...options, patienceMs: 5_000 },
    );
    expect(await lanes.add('k', 7)).toBe(7);
    expect(tries).toEqual([false, true, true]);
  });

  it('are split after such a try, and still say that they may have been written', async () => {
    const tries: string[] = [];
    const lanes = new Lanes<number, number>(
      async (items, again) => {
        tries.push(`${items.join()} ${again ? 'again' : 'first'}`);
        if (tries.length === 1) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        if (items.length > 1) throw new Error('a deadlock');
        return items;
      },
      { ...options, lanes: 1, patienceMs: 5_000 },
    );
    expect(await Promise.all([lanes.add('a', 1), lanes.add('b', 2)])).toEqual([1, 2]);
    expect(tries).toEqual(['1,2 first', '1,2 again', '1 again', '2 again']);
  });

  it('are refused where an earlier one of their key fails while they wait for the next batch', async () => {
    let fail: () => void = () => undefined;
    const failing = new Promise<void>((_, reject) => {
      fail = () => reject(new Error('it cannot be stored'));
    });
    const written: string[] = [];
    const lanes = new Lanes<string, string>(
      async (items) => {
        if (items.includes('a1')) await failing;
        written.push(...items);
        return items;
      },
      { ...options, lanes: 1 },
    );
    const first = lanes.add('a', 'a1');
    await new Promise((resolve) => setImmediate(resolve));
    const behind = lanes.add('a', 'a2');
    const other = lanes.add('b', 'b1');
    fail();
    await expect(first).rejects.toThrow('it cannot be stored');
    await expect(behind).rejects.toThrow('An earlier write of the same task failed.');
    expect(await other).toBe('b1');
    expect(await lanes.add('a', 'a3')).toBe('a3');
    await lanes.drained();
    expect(written).toEqual(['b1', 'a3']);
  });

  it('are refused when too much waits', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const lanes = new Lanes<number, number>(
      async (items) => {
        await gate;
        return items;
      },
      { lanes: 1, batch: 1, queue: 2 },
    );
    const accepted = [lanes.add('k', 1), lanes.add('k', 2)];
    const refused = lanes.add('k', 3).catch((error: unknown) => error);
    go();
    await Promise.all(accepted);
    expect(await refused).toBeInstanceOf(RollcallError);
    expect(await refused).toMatchObject({ code: 'RATE_LIMITED' });
  });
});
