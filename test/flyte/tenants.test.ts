import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { TaskExecution_Phase as Phase } from '../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { data } from '../support/app.ts';
import { afterTheTest, type Cleanup } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { answers, SECRET_KEY, spark } from './support/recorded.ts';
import { type Registered, startRegistered } from './support/registered.ts';

const cleanup = afterTheTest();

test('what is heard of a job is written to the tasks of whom Flyte acts as, and to nobody else’s', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-flyte-tenants-'));
  cleanup(() => rmSync(directory, { recursive: true, force: true }));
  const [mine, other] = [randomUUID(), randomUUID()];
  const [myToken, otherToken] = [await tokenFor(mine), await tokenFor(other)];
  const actingAs = (subject: string, each: Cleanup): Promise<Registered> => {
    const place = { DATABASE_URL: '', DATA_DIR: directory, SECRET_KEY, EGRESS_ALLOW: '127.0.0.1/32' };
    return startRegistered(each, { ...JWT_SETTINGS, ...place, FLYTE_PRINCIPAL: subject }, {}, myToken);
  };

  const stops: (() => unknown)[] = [];
  const stopFirst = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  cleanup(stopFirst);
  const first = await actingAs(mine, (each) => stops.push(each));
  const one = await spark(first, cleanup);
  const job = await one.create(first);
  await one.inState('SUBMITTED', first);
  await stopFirst();

  const second = await actingAs(other, cleanup);
  answers(one.a, { phase: Phase.SUCCEEDED });
  await vi.waitFor(async () => expect(await second.listed()).toContain(`Agent of ${one.type}`), SOON);
  /** When somebody last asked for the job of that owner's only task. */
  const heardAt = async (owner: string): Promise<unknown> => {
    const rows = await second.app.database.query<{ at: unknown }>(
      'select j.heard_at as at from task_job j join task t on t.id = j.task where t.owner = $1 and j.ref is not null',
      [owner],
    );
    return rows[0]?.at;
  };
  const mineBefore = await heardAt(mine);
  expect((await second.asyncService.getTask(job)).resource?.phase).toBe(Phase.SUCCEEDED);
  // What was asked for later is written: what was to be written of the first one has been.
  const { resourceMeta } = await second.asyncService.createTask(one.given(0, randomUUID()));
  const otherBefore = await vi.waitFor(async () => (await heardAt(other)) ?? Promise.reject(new Error('none')), SOON);
  await second.asyncService.getTask({ resourceMeta, ...one.of });
  const query = '{ tasks { nodes { state owner } } }';
  await expect
    .poll(async () => (await data(second.url, query, {}, otherToken))['tasks'].nodes)
    .toEqual([{ state: 'COMPLETED', owner: other }]);
  expect((await data(second.url, query, {}, myToken))['tasks'].nodes).toEqual([{ state: 'SUBMITTED', owner: mine }]);

  await expect.poll(() => heardAt(other), SOON).not.toEqual(otherBefore);
  // Else Rollcall would not ask for a job whose own Flyte has forgotten it.
  expect(await heardAt(mine)).toEqual(mineBefore);
});
