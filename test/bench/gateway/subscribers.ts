import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import WebSocket from 'ws';
import { takeJobs } from '../jobs.ts';
import { quantile } from '../statistics.ts';
import { machineMs } from './pulses.ts';
import { agents, costsOf } from './world.ts';

export interface Latency {
  readonly events: number;
  /** How many of them were made a second. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const SUBSCRIPTION = `subscription Pulses($agent: ID!) {
  pulses(agent: $agent) { at agent { id name costs { perCall currency } } }
}`;
const PULSE = 'mutation Pulse($agent: ID) { pulse(agent: $agent) }';
/** Sockets that open at the same time. */
const OPENING = 50;
/** How long events may take before the run fails. */
const LATE_MS = 30_000;

const sockets: WebSocket[] = [];
let latencies: number[] = [];
let failure: Error | undefined;
let expected = 0;
let arrived: () => void = () => {};

/** Counts an event, and checks that the field of the other subgraph is in it and right. */
function take(agent: string, payload: any): void {
  const pulse = payload?.data?.pulses;
  const costs = costsOf(agent);
  const right = pulse?.agent?.id === agent && pulse.agent.costs?.perCall === costs?.perCall;
  if (!right) failure ??= new Error(`a wrong event of ${agent}: ${JSON.stringify(payload)}`);
  latencies.push(machineMs() - (pulse?.at ?? 0));
  if (latencies.length >= expected || failure !== undefined) arrived();
}

async function openOne(url: string, agent: string): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  const payload = { query: SUBSCRIPTION, variables: { agent } };
  // The first event comes by itself: then the subscription is on.
  const isOn = new Promise<void>((resolve, reject) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      else if (message.type === 'ping') socket.send('{"type":"pong"}');
      else if (message.type === 'next') {
        take(agent, message.payload);
        resolve();
      } else failure ??= new Error(`the subscription of ${agent} ended: ${data}`);
    });
    socket.once('close', (code) => reject(new Error(`a socket was closed: ${code}`)));
  });
  socket.send('{"type":"connection_init"}');
  await isOn;
  sockets.push(socket);
}

/** Opens subscriptions, each on a socket of its own and for another agent. */
async function open({ url, count }: { readonly url: string; readonly count: number }): Promise<void> {
  const address = new URL('graphql', url.replace(/^http/, 'ws')).href;
  for (let n = 0; n < count; n += OPENING) {
    const some = agents.slice(n, Math.min(n + OPENING, count));
    await Promise.all(some.map(({ id }) => openOne(address, id)));
  }
  if (failure !== undefined) throw failure;
}

async function close(): Promise<void> {
  await Promise.all(
    sockets.splice(0).map((socket) => {
      const closed = once(socket, 'close');
      socket.close();
      return closed;
    }),
  );
}

/** Makes events, `bursts` times: for one subscription, each in its turn, or for all of them. */
async function pulse(job: {
  readonly url: string;
  readonly bursts: number;
  readonly everyMs: number;
  readonly all: boolean;
}): Promise<Latency> {
  const pool = new Pool(new URL(job.url).origin, { connections: 8 });
  const ask = async (agent: string | null): Promise<void> => {
    const answer = await pool.request({
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: PULSE, variables: { agent } }),
    });
    const text = await answer.body.text();
    if (!text.startsWith('{"data"')) throw new Error(`no events could be made: ${text}`);
  };
  latencies = [];
  expected = job.all ? job.bursts * sockets.length : job.bursts;
  const all = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const from = performance.now();
  for (let n = 0; n < job.bursts; n++) {
    void ask(job.all ? null : agents[n % sockets.length]!.id).catch((error: Error) => {
      failure ??= error;
    });
    await wait(job.everyMs);
  }
  const seconds = (performance.now() - from) / 1_000;
  await Promise.race([all, wait(LATE_MS, undefined, { ref: false })]);
  await pool.close();
  if (failure !== undefined) throw failure;
  if (latencies.length !== expected) throw new Error(`${latencies.length} of ${expected} events arrived`);
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return { events: expected, perSecond: expected / seconds, p50, p99 };
}

const jobs = { open, close, pulse };
export type SubscriberJobs = typeof jobs;
takeJobs(jobs);
