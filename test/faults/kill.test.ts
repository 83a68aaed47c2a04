import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFailed, test } from 'vitest';
import { afterTheTest } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS, type DriverKind } from '../support/database.ts';
import { LONG } from '../support/soon.ts';
import type { Work } from './agent-protocol.ts';
import { allTasks, audit } from './audit.ts';
import type { ClientName } from './clients.ts';
import { hasEnded, type Journal } from './journal.ts';
import { type Check, KILLS } from './kills.ts';
import { Run } from './run.ts';

/** Set it to see a run again; the moments of the kills are as near as the machine allows. */
const SEED = Number(process.env['ROLLCALL_TEST_KILL_SEED'] ?? randomInt(2 ** 31));

/** 100 tasks that run from the beginning, by who follows them. */
const CROWD: readonly (readonly [ClientName, number])[] = [
  ['raw 1.0', 40],
  ['raw 1.0 with a key', 10],
  ['raw 0.3', 15],
  ['graph', 20],
  ['SDK, JSON-RPC', 10],
  ['SDK, HTTP+JSON', 5],
];

const cleanup = afterTheTest();

/** Where a server keeps its data, and how soon its successor may go on with its tasks. */
async function settings(kind: DriverKind): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-kill-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  const env = { DATA_DIR: folder, LOG_LEVEL: 'warn' };
  if (kind === 'pglite') return env;
  const { url, drop } = await createTestDatabase(kind);
  cleanup(drop);
  return {
    ...env,
    DATABASE_URL: url,
    SECRET_KEY: 'a key for these tests, of enough characters',
    TASK_LEASE_MS: '1000',
  };
}

describe(`kill -9 (ROLLCALL_TEST_KILL_SEED=${SEED})`, () => {
  test.each(DRIVERS)('100 streams outlive five kills on %s', LONG, async (kind) => {
    const run = new Run(SEED + DRIVERS.indexOf(kind), await settings(kind));
    cleanup(() => run.stop());
    onTestFailed(() => void process.stderr.write(`${run.describe()}\n`));
    await run.start();
    const { random, agents, server } = run;
    for (const [client, count] of CROWD) {
      for (let i = 0; i < count; i++) {
        const pace = random.whole(80, 300);
        // A third of them runs on through all kills.
        run.client(client, agents.paced[i % 3]!, i % 3 === 0 ? { pace } : { chunks: random.whole(3, 60), pace });
      }
    }
    run.doing = 'the crowd begins';
    await run.events(200);

    const hits: { name: string; hit: readonly Journal[]; check: Check }[] = [];
    for (const name of random.shuffled(Object.keys(KILLS))) {
      run.doing = `the kill ${name}`;
      await run.events(random.whole(1, 100));
      const { hit, check = () => undefined } = await KILLS[name]!(run);
      hits.push({ name, hit, check });
      run.doing = `the start after the kill ${name}`;
      server.start();
      await server.up();
    }
    run.doing = 'the ends of all tasks';
    run.paced.tell({ type: 'finish' });
    await run.until(() => run.journals.every(hasEnded));
    await run.finished();

    run.doing = 'the audit';
    const { url } = await server.up();
    const work: Record<string, Work> = { ...(await run.paced.work()), ...(await run.silent.work()) };
    const outcomes = new Map(
      await Promise.all(
        run.journals.map(async (journal) => [journal, await audit(url, journal, work[journal.messageId])] as const),
      ),
    );
    // No task but those that clients know, and none twice.
    expect((await allTasks(url)).toSorted()).toEqual(run.journals.map(({ taskId }) => taskId!).toSorted());
    for (const { name, hit, check } of hits) {
      expect(hit.length, `tasks hit ${name}`).toBeGreaterThan(0);
      for (const journal of hit) check(outcomes.get(journal)!);
    }
    expect(server.complaints(), 'warnings of all servers').toBe('');
  });
});
