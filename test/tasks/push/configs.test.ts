import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSecretBox } from '../../../src/database/secret-box.ts';
import { createEgress } from '../../../src/upstream/egress.ts';
import { completed, scripted } from '../scripted.ts';
import { DATABASES, onCleanup, STARTING_MS, say, someone, stack } from '../support.ts';
import { logOf, settled, told, webhook } from './support.ts';

describe.each(DATABASES)('webhooks of tasks on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);
  const setUp = async (push = {}) => {
    const agent = scripted();
    const engine = await stack(open, { more: { api: agent.executor }, push });
    // Before the engine closes, which waits for the agent.
    onCleanup(async () => agent.end());
    const agentId = await engine.agent({ executionType: 'api', url: 'http://127.0.0.1:9/' });
    const begin = async (taskPushNotificationConfig?: object) => {
      const { taskId } = await engine.tasks.send(engine.me, agentId, {
        ...say('go'),
        configuration: {
          returnImmediately: true,
          ...(taskPushNotificationConfig && { taskPushNotificationConfig }),
        } as never,
      });
      return taskId;
    };
    return { ...engine, begin, script: agent };
  };

  it('are their owners’ alone, and those who see everyone’s tasks', async () => {
    const { tasks, me, begin } = await setUp();
    const taskId = await begin();
    await tasks.push.create(me, taskId, { url: 'http://127.0.0.1:9/', id: 'x' });
    const other = someone();
    for (const call of [
      () => tasks.push.create(other, taskId, { url: 'http://127.0.0.1:9/' }),
      () => tasks.push.get(other, taskId, 'x'),
      () => tasks.push.list(other, taskId),
      () => tasks.push.delete(other, taskId, 'x'),
      () => tasks.push.get(me, randomUUID()),
      () => tasks.push.get(me, 'no uuid'),
      () => tasks.push.get(me, taskId, 'y'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    }
    expect(await tasks.push.ofTasks(other, [taskId, randomUUID(), 'no uuid'])).toEqual([[], [], []]);
    expect(await tasks.push.list(someone(['tasks:read', 'tasks:admin']), taskId)).toHaveLength(1);
    const reader = { ...me, scopes: new Set(['tasks:read'] as const) };
    await expect(tasks.push.delete(reader, taskId, 'x')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await tasks.push.get(reader, taskId, 'x')).toMatchObject({ name: 'x' });
  });

  it('keep their secrets sealed, in the place they belong to', async () => {
    const { tasks, me, begin, database } = await setUp();
    const taskId = await begin({
      id: 'x',
      url: 'http://127.0.0.1:9/',
      token: 'the token',
      authentication: { scheme: 'Bearer', credentials: 'the credentials' },
    });
    const [row] = await database.query<Record<string, string>>('select * from push_config where task = $1', [taskId]);
    expect(JSON.stringify(row)).not.toMatch(/the token|the credentials/);
    expect(JSON.stringify(await tasks.push.get(me, taskId))).not.toMatch(/the token|the credentials|v1\./);
    const box = createSecretBox('a secret for the tests');
    const place = { table: 'push_config', row: `${taskId}/x`, column: 'token' };
    expect(box.open(row!['token']!, place)).toBe('the token');
    expect(() => box.open(row!['token']!, { ...place, row: `${taskId}/y` })).toThrow();
  });

  it('that cannot be opened any more fail with a word on why, and nothing is sent without its credentials', async () => {
    const hook = await webhook();
    const { tasks, me, begin, database, script } = await setUp({ retries: { firstMs: 1, longestMs: 1, attempts: 2 } });
    const taskId = await begin();
    await tasks.push.create(me, taskId, { url: hook.url, token: 'secret' });
    await database.query(`update push_config set token = 'v1.other.a.b' where task = $1`, [taskId]);
    script.say(completed);
    const config = await settled({ tasks, me }, taskId);
    expect((await logOf({ tasks }, config))[0]!.error).toMatch(/SECRET_KEY/);
    expect(hook.received).toEqual([]);
  });

  it('are checked when they come: nothing of a refused message is stored', async () => {
    const { tasks, me, begin, database } = await setUp();
    const count = async () => (await database.query('select 1 from task where owner = $1', [me.subject])).length;
    await expect(begin({ url: 'http://10.0.0.1/' })).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
    await expect(begin({ url: 'nonsense' })).rejects.toMatchObject({ code: 'INVALID_INPUT', field: 'url' });
    expect(await count()).toBe(0);
    const taskId = await begin();
    await expect(tasks.push.create(me, taskId, { url: 'http://[::ffff:10.0.0.1]/' })).rejects.toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  it('are checked again at each delivery: a name that leads elsewhere later is not followed', async () => {
    const hook = await webhook();
    let address = '93.184.215.14';
    const egress = createEgress({
      allow: [],
      resolve: async () => [address],
      limits: { dnsTtlMs: 0 },
    });
    onCleanup(() => egress.close());
    const { tasks, me, begin, script } = await setUp({ egress, retries: { firstMs: 1, longestMs: 1, attempts: 2 } });
    const taskId = await begin();
    await tasks.push.create(me, taskId, { url: hook.url.replace('127.0.0.1', 'hook.example') });
    address = '127.0.0.1';
    script.say(completed);
    const log = await logOf({ tasks }, await settled({ tasks, me }, taskId));
    expect(log.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['retrying', null],
      ['failed', null],
    ]);
    expect(log[0]!.error).toMatch(/EGRESS_ALLOW/);
    expect(hook.received).toEqual([]);
  });

  it('are not delivered to once EGRESS_ALLOW has lost them', async () => {
    const hook = await webhook(() => 503);
    const engine = await setUp({ retries: { firstMs: 20, longestMs: 20 } });
    const taskId = await engine.begin({ url: hook.url });
    engine.script.say(completed);
    await expect.poll(async () => (await engine.tasks.get(engine.me, taskId)).row.state).toBe('completed');
    await hook.count(1);
    await engine.tasks.close();
    const strict = createEgress({ allow: [] });
    onCleanup(() => strict.close());
    const before = hook.received.length;
    const other = await engine.replica({
      push: { egress: strict, retries: { firstMs: 1, longestMs: 1, attempts: 30 } },
    });
    await expect
      .poll(async () => (await logOf(other, await other.tasks.push.get(engine.me, taskId))).at(-1)!.error)
      .toMatch(/private address|loopback|EGRESS_ALLOW/);
    expect(hook.received).toHaveLength(before);
  });

  it('of a follow-up are told what it brings; of an ended task, nothing', async () => {
    const hook = await webhook();
    const engine = await setUp();
    const { tasks, me } = engine;
    const agentId = await engine.echo();
    const { taskId } = await tasks.send(me, agentId, say('ask: more?'));
    await expect.poll(async () => (await tasks.get(me, taskId)).row.state).toBe('input-required');
    await tasks.send(me, agentId, {
      ...say('this', { taskId }),
      configuration: { taskPushNotificationConfig: { url: hook.url } },
    });
    const config = await settled(engine, taskId);
    expect([told(hook.received[0]!), told(hook.received.at(-1)!)]).toEqual(['working', 'completed']);
    expect(config.state).toBe('done');
    const late = await tasks.push.create(me, taskId, { url: hook.url, id: 'late' });
    expect(late.state).toBe('done');
  });

  it('go with their task', async () => {
    const { tasks, me, begin, database } = await setUp();
    const taskId = await begin({ url: 'http://127.0.0.1:9/' });
    await database.query('delete from task where id = $1', [taskId]);
    expect(await database.query('select 1 from push_config where task = $1', [taskId])).toEqual([]);
    await expect(tasks.push.list(me, taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('are at most twenty, also when many come at once', async () => {
    const { tasks, me, begin } = await setUp();
    const taskId = await begin();
    const made = await Promise.allSettled(
      Array.from({ length: 30 }, () => tasks.push.create(me, taskId, { url: 'http://127.0.0.1:9/' })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    expect(await tasks.push.list(me, taskId)).toHaveLength(20);
  });
});
