import { StreamResponse } from '@a2a-js/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';
import { oracle, schemasPresent } from '../support/published-schemas.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { echoAgent, post, rpc, userMessage } from './support.ts';

let app: App;
let base: string;
let hook: Webhook;
beforeAll(async () => {
  app = await startTestApp();
  base = `${app.addresses.url}a2a/${await echoAgent(app)}/`;
});
afterAll(() => app?.close());
afterEach(() => hook?.close());

const TEXTS = ['hello', 'stream: a b c', 'fail: on purpose', 'message: hi'];
const ENDS = /completed|failed/;

const tagged = (kind: 'kind' | 'type', text: string) => ({ role: 'user', parts: [{ [kind]: 'text', text }] });
const SENDS = {
  '0.3': (text: string, url: string) =>
    post(
      base,
      rpc('message/send', {
        message: { kind: 'message', messageId: crypto.randomUUID(), ...tagged('kind', text) },
        configuration: { pushNotificationConfig: { url } },
      }),
    ),
  '0.3 over HTTP+JSON': (text: string, url: string) =>
    post(`${base}v1/message:send`, {
      message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', content: [{ text }] },
      configuration: { pushNotification: { url } },
    }),
  early: (text: string, url: string) =>
    post(
      base,
      rpc('tasks/send', { id: crypto.randomUUID(), message: tagged('type', text), pushNotification: { url } }),
    ),
} as const;

describe('the body of a notification', () => {
  const cases = [
    ['0.3', 'a2a-0.3.0.json'],
    ['0.3', 'a2a-0.2.5.json'],
    ['0.3 over HTTP+JSON', 'a2a-0.3.0.json'],
    ['early', 'a2a-0.1.0.json'],
  ] as const;
  test.skipIf(!schemasPresent()).each(cases)('is a whole task in %s, as %s has it', async (how, file) => {
    const valid = oracle(file);
    for (const text of TEXTS) {
      hook = await startWebhook();
      await SENDS[how](text, hook.url);
      await hook.until(({ body }) => ENDS.test(body['status'].state));
      for (const { body, headers } of hook.received) {
        valid('Task', body);
        expect(body['kind']).toBe(how === 'early' ? undefined : 'task');
        expect(headers['content-type']).toBe('application/json');
      }
      await hook.close();
    }
  });

  test('of a stream of chunks tells whole artifacts, not each chunk, where it is a whole task', async () => {
    hook = await startWebhook();
    await SENDS['0.3']('stream: a b c d e', hook.url);
    const last = await hook.until(({ body }) => body['status'].state === 'completed');
    const texts = (parts: { text: string }[]): string => parts.map(({ text }) => text).join('');
    expect(texts(last.body['artifacts'][0].parts).replaceAll(/\s/g, '')).toBe('abcde');
    for (const { body } of hook.received.filter(
      (it) => it.body['status'].state === 'working' && it.body['artifacts'],
    )) {
      expect(texts(body['artifacts'][0].parts).replaceAll(/\s/g, '')).toBe('abcde');
    }
    expect(hook.received.length).toBeLessThan(6);
  });

  test('is an event of 1.0 that the SDK reads, one for each that a stream would have', async () => {
    for (const text of TEXTS) {
      hook = await startWebhook();
      const send = rpc('SendMessage', {
        message: userMessage(text),
        configuration: { taskPushNotificationConfig: { url: hook.url } },
      });
      await post(base, send, { 'a2a-version': '1.0' });
      await hook.until(({ text: body }) => /COMPLETED|FAILED/.test(body) || text.startsWith('message'));
      if (text.startsWith('message')) await hook.until(({ body }) => body['message'] !== undefined);
      const cases = hook.received.map(({ body }) => StreamResponse.fromJSON(body).payload?.$case);
      expect(cases[0]).toBe('task');
      expect(cases.slice(1)).not.toContain('task');
      expect(cases).not.toContain(undefined);
      if (text.startsWith('stream')) expect(cases.filter((it) => it === 'artifactUpdate').length).toBeGreaterThan(2);
      for (const { headers } of hook.received) expect(headers['content-type']).toBe('application/a2a+json');
      await hook.close();
    }
  });
});
