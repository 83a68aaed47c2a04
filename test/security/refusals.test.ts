import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { App } from '../../src/app.ts';
import { addHealthRoutes } from '../../src/http/health.ts';
import { post, rpc } from '../a2a/support.ts';
import { ask, startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { grpcClient } from './doors.ts';

const ME = '11111111-1111-4111-8111-111111111111';
const TOKEN = 'a token of scrapers, thirty-two characters';
const cleanup = afterTheTest();

async function start(settings: Record<string, string> = {}): Promise<App> {
  const app = await startTestApp({ ...JWT_SETTINGS, ...settings });
  cleanup(() => app.close());
  return app;
}
const metricsOf = ({ addresses }: App, headers: Record<string, string> = {}) =>
  fetch(`${addresses.url}metrics`, { headers });

describe('refusals are counted', () => {
  const counted = async (app: App, code: string, door: string): Promise<number> => {
    const text = await (await metricsOf(app)).text();
    return Number(
      new RegExp(`^rollcall_refusals_total\\{code="${code}",door="${door}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
    );
  };

  test('by code and door', async () => {
    const app = await start();
    const { url } = app.addresses;
    const reader = await tokenFor(ME, ['registry:read']);
    const grpc = grpcClient(app);
    cleanup(() => grpc.close());
    const send = 'mutation { sendMessage(input: { agentId: "x", text: "x" }) { __typename } }';

    await ask(url, send, {}, reader);
    expect(await counted(app, 'FORBIDDEN', 'graphql')).toBe(1);
    await ask(url, send, {}, 'no.token.atall');
    await ask(url, send, {});
    expect(await counted(app, 'UNAUTHENTICATED', 'graphql')).toBe(2);
    const { agent } = (await ask(url, '{ agent(handle: "echo") { id } }', {}, reader)).data;
    await post(`${url}a2a/${agent.id}`, rpc('GetTask', { id: ME }), { authorization: `Bearer ${reader}` });
    expect(await counted(app, 'FORBIDDEN', 'a2a')).toBe(1);
    await grpc.call('GetTask', { tenant: agent.id, id: ME }, reader).catch(() => undefined);
    expect(await counted(app, 'FORBIDDEN', 'grpc')).toBe(1);
    await fetch(`${url}graphql`, { headers: { origin: 'https://elsewhere.example' } });
    expect(await counted(app, 'FORBIDDEN', 'graphql')).toBe(2);
    const socket = new WebSocket(`${url.replace('http', 'ws')}graphql`, 'graphql-transport-ws');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer no.token.atall' } })),
    );
    await closed;
    expect(await counted(app, 'UNAUTHENTICATED', 'websocket')).toBe(1);
  });

  test('limits too', async () => {
    const app = await start({ RATE_LIMIT_PER_CALLER: '2' });
    const token = await tokenFor(ME);
    for (let i = 0; i < 4; i++) await ask(app.addresses.url, '{ __typename }', {}, token);
    expect(await counted(app, 'RATE_LIMITED', 'graphql')).toBe(2);
  });
});

describe('/metrics', () => {
  test('is for who presents the token, where there is one', async () => {
    const app = await start({ METRICS_TOKEN: TOKEN });
    expect((await metricsOf(app)).status).toBe(401);
    expect((await metricsOf(app, { authorization: `Bearer ${TOKEN}x` })).status).toBe(401);
    expect((await metricsOf(app, { authorization: `Bearer ${await tokenFor(ME)}` })).status).toBe(401);
    const allowed = await metricsOf(app, { authorization: `Bearer ${TOKEN}` });
    expect(allowed.status).toBe(200);
    expect(await allowed.text()).toContain('rollcall_refusals_total{code="UNAUTHENTICATED",door="metrics"} 3');
  });

  test('counts by address; health is never refused', async () => {
    const app = await start({ RATE_LIMIT_PER_ADDRESS: '3' });
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await metricsOf(app)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    for (const path of ['health', 'health/live', 'health/ready'])
      for (let i = 0; i < 5; i++) expect((await fetch(`${app.addresses.url}${path}`)).status).toBe(200);
  });
});

test('health looks once for all who ask at the same time', async () => {
  const http = fastify();
  cleanup(() => http.close());
  const ASKERS = 20;
  let looks = 0;
  let arrived = 0;
  let answer: () => void = () => undefined;
  const check = (): Promise<undefined> => {
    looks += 1;
    return new Promise((resolve) => {
      answer = () => resolve(undefined);
    });
  };
  addHealthRoutes(http, [{ name: 'slow', check }], () => false);
  http.addHook('preHandler', async () => {
    arrived += 1;
    if (arrived === ASKERS) setImmediate(() => answer());
  });
  const answers = await Promise.all(Array.from({ length: ASKERS }, () => http.inject('/health/ready')));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200));
  expect(looks).toBe(1);
  // The next one gets a look of its own.
  const next = http.inject('/health');
  await expect.poll(() => looks).toBe(2);
  answer();
  expect((await next).statusCode).toBe(200);
});
