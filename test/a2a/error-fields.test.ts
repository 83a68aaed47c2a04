import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { type BadAgent, startBadAgent } from './bad-agent.ts';
import { post, rpc, userMessage } from './support.ts';

let app: App;
let agent: BadAgent;
let base: string;
beforeAll(async () => {
  [app, agent] = await Promise.all([startTestApp({ EGRESS_ALLOW: '127.0.0.1/32' }), startBadAgent(false)]);
  const { importAgent } = await data(
    app.addresses.url,
    'mutation($url: String!) { importAgent(input: { url: $url }) { id } }',
    { url: agent.url },
  );
  base = `${app.addresses.url}a2a/${importAgent.id}`;
});
afterAll(async () => {
  await app?.close();
  await agent?.close();
});

test("a field of the agent's answer is not said to be one of the caller's", async () => {
  agent.behave(({ method, answer, task }) =>
    answer(method === 'SendMessage' ? { task: task('INPUT_REQUIRED') } : { status: { state: 'TASK_STATE_CANCELED' } }),
  );
  const sent = await post(base, rpc('SendMessage', { message: userMessage('go') }));
  const { id } = sent.body['result'].task;

  const v1 = await post(base, rpc('CancelTask', { id }));
  expect(v1.body['error'].data).toEqual([expect.objectContaining({ reason: 'INVALID_AGENT_RESPONSE' })]);
  expect(v1.body['error'].message).toContain('result.id');
  const http = await post(`${base}/tasks/${id}:cancel`, {});
  expect(http.body['error'].details).toEqual([expect.objectContaining({ reason: 'INVALID_AGENT_RESPONSE' })]);
  const v03 = await post(base, rpc('tasks/cancel', { id }), { 'a2a-version': '0.3' });
  expect(v03.body['error'].data).toMatchObject({ code: 'UPSTREAM_INVALID' });
  expect(v03.body['error'].data).not.toHaveProperty('field');
});
