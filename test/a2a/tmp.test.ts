import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { type ScriptedAgent, startScriptedAgent } from './scripted-agent.ts';
import { post, readEvents, rpc, take, userMessage, eventsOf } from './support.ts';
let app: App; let agent: ScriptedAgent; let base: string;
beforeAll(async () => {
  agent = await startScriptedAgent();
  app = await startTestApp();
  const { importAgent } = await data(app.addresses.url, 'mutation($url: String!) { importAgent(input: { url: $url }) { id } }', { url: agent.url });
  base = `${app.addresses.url}a2a/${importAgent.id}`;
});
afterAll(async () => { await app?.close(); await agent?.close(); });
test('submitted snapshot', async () => {
  const response = fetch(base, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rpc('SendStreamingMessage', { message: userMessage('x') })) });
  const script = await agent.next();
  const events = readEvents(await response);
  const first = await Promise.race([take(events, 1), new Promise((r) => setTimeout(() => r('nothing for 3 s'), 3000))]);
  console.log('FIRST', JSON.stringify(first));
  script.status('COMPLETED'); script.end();
});
test('0.3 rest', async () => {
  const send = post(`${base}/v1/message:send`, { message: { messageId: 'm', role: 'ROLE_USER', content: [{ text: 'hi' }] }, configuration: {} });
  const script = await agent.next();
  const first = await Promise.race([send, new Promise((r) => setTimeout(() => r('waits'), 1500))]);
  console.log('REST', JSON.stringify(first));
  script.status('COMPLETED'); script.end(); await send;
});
test('chunks', { timeout: 120000 }, async () => {
  for (const n of [1000, 2000, 4000]) {
    const response = fetch(base, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rpc('SendStreamingMessage', { message: userMessage('x') })) });
    const script = await agent.next();
    const t = Date.now();
    for (let i = 0; i < n; i++) script.artifact('word '.repeat(10), i > 0);
    script.status('COMPLETED'); script.end();
    const all = await eventsOf(await response);
    console.log('CHUNKS', n, all.length, Date.now() - t, 'ms');
  }
});
test('sends', { timeout: 120000 }, async () => {
  const { agent: echo } = await data(app.addresses.url, '{ agent(handle: "echo") { id } }');
  for (const round of [0, 1, 2]) {
    const t = Date.now(); let done = 0;
    await Promise.all(Array.from({ length: 50 }, async () => { while (done < 2000) { done++; await post(`${app.addresses.url}a2a/${echo.id}`, rpc('SendMessage', { message: userMessage('hi') })); } }));
    console.log('SENDS', round, Math.round(2000 / ((Date.now() - t) / 1000)), '/s');
  }
});
