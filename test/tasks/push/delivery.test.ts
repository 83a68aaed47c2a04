import { beforeAll, describe, expect, it } from 'vitest';
import { chunk, completed, scripted, working } from '../scripted.ts';
import { collect, DATABASES, onCleanup, STARTING_MS, say, stack } from '../support.ts';
import { logOf, settled, told, webhook } from './support.ts';

describe.each(DATABASES)('push notifications on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async (push = {}) => {
    const agent = scripted();
    const engine = await stack(open, { more: { api: agent.executor }, push });
    // Before the engine closes, which waits for the agent.
    onCleanup(async () => agent.end());
    const agentId = await engine.agent({ executionType: 'api', url: 'http://127.0.0.1:9/' });
    const begin = async (hook?: { url: string }, more: object = {}) => {
      const { taskId } = await engine.tasks.send(engine.me, agentId, {
        ...say('go'),
        configuration: {
          returnImmediately: true,
          ...(hook === undefined ? {} : { taskPushNotificationConfig: { url: hook.url, ...more } }),
        },
      });
      return taskId;
    };
    return { ...engine, agentId, begin, script: agent };
  };

  it('tell every event of a task, in order, from the first one, and end with the last', async () => {
    const hook = await webhook();
    const engine = await setUp();
    const taskId = await engine.begin(hook);
    engine.script.say(working, chunk('a'), chunk('b'), completed);
    await hook.count(5);
    expect(hook.received.map(told)).toEqual(['submitted', 'working', 'chunk a', 'chunk b', 'completed']);
    const config = await settled(engine, taskId);
    expect(config).toMatchObject({ state: 'done', cursor: 5, attempts: 0, nextAt: null });
    expect(await logOf(engine, config)).toMatchObject(
      [1, 2, 3, 4, 5].map((sequence) => ({ sequence, attempt: 1, outcome: 'delivered', status: 200, error: null })),
    );
    expect(hook.received[2]!.body['artifactUpdate'].taskId).toBe(taskId);
    expect(await engine.tasks.push.backlog()).toBe(0);
  });

  it('tell a webhook that came later what happens from then on', async () => {
    const hook = await webhook();
    const engine = await setUp();
    const taskId = await engine.begin();
    engine.script.say(working, chunk('before'));
    await expect.poll(async () => (await engine.tasks.get(engine.me, taskId)).sequence).toBe(3);
    await engine.tasks.push.create(engine.me, taskId, { url: hook.url });
    engine.script.say(chunk('after'), completed);
    await settled(engine, taskId);
    expect(hook.received.map(told)).toEqual(['chunk after', 'completed']);
  });

  it('keep the order through failures: what fails holds back what follows, of its webhook only', async () => {
    const bad = await webhook((_, n) => (n % 3 === 0 ? 200 : 503));
    const good = await webhook();
    const engine = await setUp();
    const taskId = await engine.begin(bad, { id: 'bad' });
    await engine.tasks.push.create(engine.me, taskId, { url: good.url, id: 'good' });
    engine.script.say(working, chunk('a'), completed);
    await good.count(3);
    await bad.count(12);
    expect(bad.received.map(told)).toEqual(
      ['submitted', 'working', 'chunk a', 'completed'].flatMap((it) => [it, it, it]),
    );
    expect(good.received.map(told)).toEqual(['working', 'chunk a', 'completed']);
    for (const name of ['bad', 'good'])
      await expect.poll(async () => (await engine.tasks.push.get(engine.me, taskId, name)).state).toBe('done');
    const log = await logOf(engine, await engine.tasks.push.get(engine.me, taskId, 'bad'));
    expect(log.slice(0, 3)).toMatchObject([
      { sequence: 1, attempt: 1, outcome: 'retrying', status: 503, error: 'The receiver answered 503.' },
      { sequence: 1, attempt: 2, outcome: 'retrying' },
      { sequence: 1, attempt: 3, outcome: 'delivered', status: 200, error: null },
    ]);
    expect(bad.mostAtOnce()).toBe(1);
  });

  it('do not wait for a receiver that hangs with many of them', async () => {
    const open: (() => void)[] = [];
    const dead = await webhook(() => (response) => void open.push(() => response.writeHead(200).end()));
    const good = await webhook();
    const engine = await setUp({ slots: 8 });
    const taskId = await engine.begin();
    for (let i = 0; i < 9; i++) await engine.tasks.push.create(engine.me, taskId, { url: dead.url, id: `dead ${i}` });
    engine.script.say(working);
    // A quarter of the slots.
    await dead.count(2);
    await engine.tasks.push.create(engine.me, taskId, { url: good.url, id: 'good' });
    engine.script.say(completed);
    await good.until((received) => told(received) === 'completed');
    expect(dead.mostAtOnce()).toBe(2);
    // What waited follows as places come free.
    const answering = setInterval(() => {
      for (const answer of open.splice(0)) answer();
    }, 1);
    onCleanup(async () => clearInterval(answering));
    await dead.count(18);
    expect(dead.mostAtOnce()).toBe(2);
  });

  it('count a receiver that does not answer in time, or breaks off, as a failure', async () => {
    const hook = await webhook((_, n) =>
      n === 1 ? () => undefined : n === 2 ? (response) => void response.destroy() : 200,
    );
    const engine = await setUp({ timeoutMs: 5_000 });
    const taskId = await engine.begin(hook);
    engine.script.say(completed);
    const log = await logOf(engine, await settled(engine, taskId));
    expect(log.map(({ sequence, attempt, outcome, status }) => [sequence, attempt, outcome, status])).toEqual([
      [1, 1, 'retrying', null],
      [1, 2, 'retrying', null],
      [1, 3, 'delivered', 200],
      [2, 1, 'delivered', 200],
    ]);
    expect(log[0]!.error).toMatch(/did not answer within 5000 ms|did not answer/);
    expect(log[0]!.durationMs).toBeGreaterThanOrEqual(4_990);
  });

  it('give a notification up after so many attempts, and go on with the next', async () => {
    const hook = await webhook(({ body }) => (body['artifactUpdate'] ? 500 : 200));
    const engine = await setUp({ retries: { firstMs: 1, longestMs: 2, attempts: 3 } });
    const taskId = await engine.begin(hook);
    engine.script.say(chunk('a'), completed);
    const config = await settled(engine, taskId);
    expect(config.state).toBe('done');
    expect(hook.received.map(told)).toEqual(['submitted', 'chunk a', 'chunk a', 'chunk a', 'completed']);
    expect((await logOf(engine, config))[3]).toMatchObject({
      sequence: 2,
      attempt: 3,
      outcome: 'failed',
      status: 500,
      error: 'The receiver answered 500. Given up after 3 attempts.',
    });
  });

  it('do not repeat what the receiver will never take, and stop when it is gone', async () => {
    const hook = await webhook((_, n) => (n === 1 ? 422 : n === 2 ? 200 : 410));
    const engine = await setUp();
    const taskId = await engine.begin(hook);
    engine.script.say(working, chunk('a'), completed);
    const config = await settled(engine, taskId);
    expect(config).toMatchObject({ state: 'gone' });
    expect(hook.received.map(told)).toEqual(['submitted', 'working', 'chunk a']);
    expect((await logOf(engine, config)).map(({ outcome, status }) => [outcome, status])).toEqual([
      ['failed', 422],
      ['delivered', 200],
      ['failed', 410],
    ]);
    // Registering it again makes it live again.
    const again = await engine.tasks.push.create(engine.me, taskId, { url: hook.url, id: config.name });
    expect(again.state).toBe('active');
    // It is told what it missed, and is gone as before: nothing is left to the tests that follow.
    expect(await settled(engine, taskId)).toMatchObject({ state: 'gone' });
    expect(hook.received.map(told)).toEqual(['submitted', 'working', 'chunk a', 'completed']);
  });

  it('wait as long as the receiver asks', async () => {
    const hook = await webhook((_, n) =>
      n === 1 ? (response) => response.writeHead(429, { 'retry-after': '3' }).end() : 200,
    );
    const engine = await setUp();
    const taskId = await engine.begin(hook);
    await hook.count(1);
    const config = await settled(engine, taskId, ({ attempts }) => attempts === 1);
    const started = Date.now();
    expect(config.nextAt!.getTime() - Date.now()).toBeGreaterThan(300);
    await hook.count(2);
    expect(Date.now() - started).toBeGreaterThan(300);
    engine.script.say(completed);
    await settled(engine, taskId);
  });

  it('follow no redirect', async () => {
    const elsewhere = await webhook();
    const hook = await webhook((_, n) =>
      n === 1 ? (response) => response.writeHead(307, { location: elsewhere.url }).end() : 200,
    );
    const engine = await setUp();
    const taskId = await engine.begin(hook);
    engine.script.say(completed);
    const log = await logOf(engine, await settled(engine, taskId));
    expect(elsewhere.received).toEqual([]);
    expect(log[0]!.error).toMatch(/redirect/);
  });

  it('stop when the webhook is deleted, and go on at the new place when it is replaced', async () => {
    const first = await webhook(() => 503);
    const second = await webhook();
    const engine = await setUp();
    const taskId = await engine.begin(first, { id: 'mine' });
    await first.count(2);
    await engine.tasks.push.create(engine.me, taskId, { url: second.url, id: 'mine' });
    await second.count(1);
    expect(second.received.map(told)).toEqual(['submitted']);
    await engine.tasks.push.delete(engine.me, taskId, 'mine');
    await engine.tasks.push.delete(engine.me, taskId, 'mine');
    const before = first.received.length;
    engine.script.say(working, completed);
    await expect.poll(async () => (await engine.tasks.get(engine.me, taskId)).row.state).toBe('completed');
    // What would have been told is past the place where the next webhook begins.
    const third = await webhook();
    await engine.tasks.push.create(engine.me, taskId, { url: third.url });
    expect(await engine.tasks.push.list(engine.me, taskId)).toMatchObject([{ state: 'done', nextAt: null }]);
    expect([first.received.length, second.received.length, third.received.length]).toEqual([before, 1, 0]);
  });

  it('are delivered by one replica at a time', async () => {
    const hook = await webhook(() => (response) => void setImmediate(() => response.writeHead(200).end()));
    const engine = await setUp({ slots: 4 });
    const others = [await engine.replica({ push: { slots: 4 } }), await engine.replica({ push: { slots: 4 } })];
    const taskId = await engine.begin(hook);
    const chunks = Array.from({ length: 60 }, (_, i) => chunk(String(i)));
    for (const it of chunks) {
      engine.script.say(it);
      for (const { tasks } of others) tasks.push.wake();
    }
    engine.script.say(completed);
    await settled(engine, taskId);
    expect(hook.received.map(told)).toEqual(['submitted', ...chunks.map((_, i) => `chunk ${i}`), 'completed']);
    expect(hook.mostAtOnce()).toBe(1);
  });

  it('tell a folded log as the task that it became', async () => {
    let up = false;
    const hook = await webhook(() => (up ? 200 : 503));
    const engine = await setUp({ retries: { firstMs: 50, longestMs: 50 } });
    const taskId = await engine.begin(hook);
    engine.script.say(working, chunk('a'), completed);
    await expect.poll(async () => (await engine.tasks.get(engine.me, taskId)).row.state).toBe('completed');
    await hook.count(1);
    await engine.tasks.close();
    // One that delivers nothing: nobody has read the events when they are folded.
    const folding = await engine.replica({ logRetentionMs: 1, recovery: false });
    await expect
      .poll(async () => {
        await folding.tasks.tidy();
        return (await folding.database.query('select 1 from task_event where task = $1', [taskId])).length;
      })
      .toBe(1);
    up = true;
    const other = await engine.replica();
    const config = await settled({ tasks: other.tasks, me: engine.me }, taskId);
    const last = hook.received.at(-1)!;
    expect(config).toMatchObject({ state: 'done', cursor: 4 });
    expect(told(last)).toBe('completed');
    expect(last.body['task'].artifacts[0].parts).toEqual([{ text: 'a' }]);
  });

  it('come to an end with the engine, and go on with the next, without a gap', async () => {
    const hook = await webhook((_, n) => (n === 2 ? () => undefined : 200));
    const engine = await setUp({ timeoutMs: 60_000 });
    const taskId = await engine.begin(hook);
    engine.script.say(working, completed);
    await hook.count(2);
    await engine.tasks.close();
    const other = await engine.replica();
    await settled({ tasks: other.tasks, me: engine.me }, taskId);
    // The attempt that was cut off counts for nothing, so that it is the first again.
    expect(hook.received.map(told)).toEqual(['submitted', 'working', 'working', 'completed']);
    const log = await logOf(other, await other.tasks.push.get(engine.me, taskId));
    expect(log.map(({ sequence, attempt }) => [sequence, attempt])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
  });

  it('keep the newest attempts of each webhook', async () => {
    const hook = await webhook();
    const engine = await setUp();
    const taskId = await engine.begin(hook);
    engine.script.say(...Array.from({ length: 150 }, (_, i) => chunk(String(i))), completed);
    const config = await settled(engine, taskId);
    const rows = await engine.database.query('select 1 from push_delivery where config = $1', [config.id]);
    expect(rows).toHaveLength(100);
    expect((await logOf(engine, config)).at(-1)!.sequence).toBe(152);
  });

  it('cost a task without webhooks nothing: its rows are not looked at', async () => {
    const engine = await setUp();
    const taskId = await engine.begin();
    const stream = await engine.tasks.subscribe(engine.me, taskId);
    engine.script.say(working, completed);
    await collect(stream);
    expect((await engine.tasks.get(engine.me, taskId)).row.push).toBe(false);
    expect(await engine.tasks.push.list(engine.me, taskId)).toEqual([]);
  });
});
