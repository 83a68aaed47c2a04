import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';

const OWNER = '11111111-1111-4111-8111-111111111111';
const STRANGER = '22222222-2222-4222-8222-222222222222';
const CREATE = `mutation($input: CreatePushNotificationConfigInput!) { createPushNotificationConfig(input: $input) {
  id key taskId url hasToken scheme dialect state deliveredSequence attempts nextAttemptAt createdAt } }`;
const READ = `query($id: ID!, $last: Int) { task(id: $id) { state pushNotificationConfigs { key state deliveredSequence
  deliveries(last: $last) { sequence attempt outcome status error durationMs at } } } }`;

let app: App;
let url: string;
let owner: string;
let stranger: string;
let agentId: string;
const hooks: Webhook[] = [];

beforeAll(async () => {
  app = await startTestApp({ ...JWT_SETTINGS, EGRESS_ALLOW: '127.0.0.1/32' });
  url = app.addresses.url;
  owner = await tokenFor(OWNER);
  stranger = await tokenFor(STRANGER);
  agentId = (await data(url, '{ agent(handle: "echo") { id } }', {}, owner))['agent'].id;
});
afterAll(() => app?.close());
afterEach(async () => {
  for (const hook of hooks.splice(0)) await hook.close();
});

const hook = async (...reply: Parameters<typeof startWebhook>) => {
  const made = await startWebhook(...reply);
  hooks.push(made);
  return made;
};
const send = async (text: string): Promise<string> =>
  (
    await data(
      url,
      'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }',
      { input: { agentId, text } },
      owner,
    )
  )['sendMessage'].task.id;

describe('push notification configs in the graph', () => {
  test('are created, tell what happens, and show their delivery log', async () => {
    const receiver = await hook((_, n) => (n === 1 ? 503 : 200));
    const taskId = await send('ask: more?');
    const input = {
      taskId,
      key: 'mine',
      url: receiver.url,
      token: 'the token',
      authentication: { scheme: 'Basic', credentials: 'the credentials' },
    };
    const { createPushNotificationConfig: made } = await data(url, CREATE, { input }, owner);
    expect(made).toMatchObject({
      key: 'mine',
      taskId,
      url: receiver.url,
      hasToken: true,
      scheme: 'Basic',
      dialect: '1.0',
      state: 'ACTIVE',
      attempts: 0,
      nextAttemptAt: null,
    });
    expect(JSON.stringify(made)).not.toMatch(/the token|the credentials/);
    await data(
      url,
      'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { state } } }',
      { input: { agentId, taskId, text: 'more' } },
      owner,
    );
    await expect
      .poll(async () => (await data(url, READ, { id: taskId }, owner))['task'].pushNotificationConfigs[0].state)
      .toBe('DONE');
    const { task } = await data(url, READ, { id: taskId, last: 100 }, owner);
    const [config] = task.pushNotificationConfigs;
    const log = config.deliveries.toReversed();
    expect(log[0]).toMatchObject({ attempt: 1, outcome: 'RETRYING', status: 503, error: 'The receiver answered 503.' });
    expect(log[1]).toMatchObject({
      sequence: log[0].sequence,
      attempt: 2,
      outcome: 'DELIVERED',
      status: 200,
      error: null,
    });
    expect(config.deliveredSequence).toBe(log.at(-1).sequence);
    expect(receiver.received[0]!.headers).toMatchObject({
      authorization: 'Basic the credentials',
      'x-a2a-notification-token': 'the token',
    });
  });

  test('are read for a page of tasks without a statement for each', async () => {
    const receiver = await hook();
    const ids = [await send('one'), await send('two'), await send('three')];
    for (const taskId of ids) {
      for (const key of ['a', 'b']) await data(url, CREATE, { input: { taskId, key, url: receiver.url } }, owner);
    }
    const configs = vi.spyOn(app.core.tasks.push, 'ofTasks');
    const deliveries = vi.spyOn(app.core.tasks.push, 'deliveriesOf');
    const list = await data(
      url,
      '{ tasks(first: 3) { nodes { id pushNotificationConfigs { key state deliveries { sequence } } } } }',
      {},
      owner,
    );
    expect(list['tasks'].nodes.map((it: any) => [it.id, it.pushNotificationConfigs.map((c: any) => c.key)])).toEqual(
      ids.toReversed().map((id) => [id, ['a', 'b']]),
    );
    expect([configs.mock.calls.length, deliveries.mock.calls.length]).toEqual([1, 1]);
    // Tasks that had ended before have nothing more to tell.
    expect(list['tasks'].nodes[0].pushNotificationConfigs[0]).toEqual({ key: 'a', state: 'DONE', deliveries: [] });
  });

  test('are deleted, also twice', async () => {
    const receiver = await hook();
    const taskId = await send('hello');
    await data(url, CREATE, { input: { taskId, key: 'x', url: receiver.url } }, owner);
    const gone = `mutation($input: DeletePushNotificationConfigInput!) { deletePushNotificationConfig(input: $input) {
      id pushNotificationConfigs { key } } }`;
    for (let i = 0; i < 2; i++) {
      const answer = await data(url, gone, { input: { taskId, key: 'x' } }, owner);
      expect(answer['deletePushNotificationConfig']).toEqual({ id: taskId, pushNotificationConfigs: [] });
    }
  });

  test('are nobody else’s', async () => {
    const receiver = await hook();
    const taskId = await send('hello');
    const answer = await ask(url, CREATE, { input: { taskId, url: receiver.url } }, stranger);
    expect(answer.errors?.[0]?.extensions['code']).toBe('TASK_NOT_FOUND');
    const scoped = await tokenFor(OWNER, ['registry:read', 'tasks:read']);
    const refused = await ask(url, CREATE, { input: { taskId, url: receiver.url } }, scoped);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', scope: 'tasks:send' });
  });

  test.each([
    [{ url: 'http://10.0.0.1/' }, 'EGRESS_DENIED'],
    [{ url: 'ftp://example.org/' }, 'INVALID_INPUT'],
    [{ url: 'http://127.0.0.1:1/', token: 'line\nbreak' }, 'INVALID_INPUT'],
    [{ url: 'http://127.0.0.1:1/', key: '' }, 'INVALID_INPUT'],
    [{ url: 'http://127.0.0.1:1/', authentication: { scheme: 'Bearer x' } }, 'INVALID_INPUT'],
  ])('refuses %j', async (wrong, code) => {
    const taskId = await send('hello');
    const answer = await ask(url, CREATE, { input: { taskId, ...wrong } }, owner);
    expect(answer.errors?.[0]?.extensions['code']).toBe(code);
  });
});
