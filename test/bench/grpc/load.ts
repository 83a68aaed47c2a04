import { randomUUID } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { type LoadResult, resultOf } from '../bursts.ts';
import { takeJobs } from '../jobs.ts';
import { type Bytes, call, createRequest, type Method, resourceMetaOf } from './wire.ts';

/** One connection to each server, as propeller has. */
const clients = new Map<string, Client>();
const clientOf = (address: string): Client => {
  const client = clients.get(address) ?? new Client(address, credentials.createInsecure());
  clients.set(address, client);
  return client;
};

interface BurstOptions {
  readonly address: string;
  /** Calls under way at the same time. */
  readonly inFlight: number;
  readonly ms: number;
  readonly most?: number;
}

async function repeat(
  { address, inFlight, ms, most = Number.POSITIVE_INFINITY }: BurstOptions,
  one: (client: Client, n: number) => Promise<void>,
): Promise<LoadResult> {
  const client = clientOf(address);
  const latencies: number[] = [];
  let begun = 0;
  const from = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() < from + ms && begun < most) {
      const at = performance.now();
      await one(client, begun++);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return resultOf(latencies, (performance.now() - from) / 1_000);
}

function check(answer: Bytes, expected: Uint8Array, where: string): void {
  if (answer.compare(expected) !== 0)
    throw new Error(`${where} answered ${answer.length} bytes that are not the expected ${expected.length}`);
}

/** Calls whose answers are known byte for byte; each is compared. */
export interface CallJob extends BurstOptions {
  readonly method: Method;
  /** Sent in turn. */
  readonly requests: readonly Uint8Array[];
  readonly expected: Uint8Array;
}

const calls = ({ method, requests, expected, ...options }: CallJob): Promise<LoadResult> => {
  const sent = requests.map((bytes) => Buffer.from(bytes));
  return repeat(options, async (client, n) => {
    check(await call(client, method, sent[n % sent.length]!), expected, `${method} at ${options.address}`);
  });
};

/** One call at a time, the servers in turns. */
export interface AlternateJob {
  readonly method: Method;
  readonly targets: readonly { readonly address: string; readonly requests: readonly Uint8Array[] }[];
  readonly expected: Uint8Array;
  readonly times: number;
}

/** Milliseconds of each call, by target. */
async function alternate({ method, targets, expected, times }: AlternateJob): Promise<number[][]> {
  const taken = targets.map((): number[] => []);
  for (let n = 0; n < times; n++) {
    for (const i of n % 2 === 0 ? targets.keys() : [...targets.keys()].reverse()) {
      const { address, requests } = targets[i]!;
      const request = Buffer.from(requests[n % requests.length]!);
      const from = performance.now();
      const answer = await call(clientOf(address), method, request);
      taken[i]!.push(performance.now() - from);
      check(answer, expected, `${method} at ${address}`);
    }
  }
  return taken;
}

/** CreateTask, each of a run of its own. @throws Error when two answers name the same job. */
async function create(options: BurstOptions): Promise<LoadResult> {
  const run = randomUUID();
  const jobs = new Set<string>();
  const result = await repeat(options, async (client, n) => {
    jobs.add(resourceMetaOf(await call(client, 'CreateTask', createRequest(`${run}-${n}`))).toString('latin1'));
  });
  if (jobs.size !== result.answered) throw new Error(`${result.answered} tasks were created as ${jobs.size} jobs`);
  return result;
}

const jobs = { calls, alternate, create };
export type GrpcJobs = typeof jobs;
takeJobs(jobs);
