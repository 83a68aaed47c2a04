import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JobTable } from './jobs.ts';

const START_MS = 60_000;
const STOP_MS = 8_000;
/** The longest that a job of the process that asks may take. */
const ASK_MS = 180_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** From the start of the process to the first answer that it is ready. */
  readonly readyMs: number;
  /** What it printed until it was ready. */
  readonly printed: string;
  /** Resident memory in MiB. */
  memory(): number;
  /** Processor time so far, in milliseconds, of user and system. Unlike time on the clock, other processes hardly change it. */
  processor(): number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Ends what is still running, when a run fails half-way. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

async function serve(
  file: string,
  env: Record<string, string>,
  address: RegExp,
  ready?: string,
): Promise<ServerProcess> {
  const from = performance.now();
  const child = spawn(process.execPath, [...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []), file], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${file} did not start: ${said}`)), START_MS);
    const done = (work: () => void): void => {
      clearTimeout(timer);
      work();
    };
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-4_000);
    });
    child.stdout!.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-4_000);
      const match = address.exec(said);
      if (match !== null) done(() => resolve(match[1]!));
    });
    child.once('exit', () => done(() => reject(new Error(`${file} ended: ${said}`))));
  });
  if (ready !== undefined) {
    const answer = await fetch(new URL(ready, url));
    await answer.text();
    if (!answer.ok) throw new Error(`${file} is not ready: ${answer.status}`);
  }
  return {
    url,
    printed: said,
    readyMs: performance.now() - from,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    processor: () => processorOf(child.pid!),
    stop: () => stop(child),
  };
}

/** Of all threads, to the nanosecond: /proc/<pid>/stat counts in steps of 10 ms, which a short burst is made of few of. */
function processorOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return nanoseconds / 1e6;
}

/** Rollcall as it ships: the compiled code. The line of its health is the last of its addresses. */
export const startRollcall = (env: Record<string, string>): Promise<ServerProcess> =>
  serve(
    'dist/src/main.js',
    { PORT: '0', GRPC_PORT: '0', FLYTE_PORT: '0', LOG_LEVEL: 'warn', ...env },
    /GraphQL\s+(http:\S+)graphql[\s\S]*Health/,
    '/health/ready',
  );

/** A server of a benchmark, by its file below test/bench: what Rollcall is measured against, or what stands behind it. */
export const startServer = (file: string, env: Record<string, string> = {}): Promise<ServerProcess> =>
  serve(here(file), env, /listening at (\S+)/);

/** The process that asks. */
export interface Asker<T extends JobTable> {
  ask<K extends keyof T & string>(kind: K, job: Parameters<T[K]>[0]): Promise<Awaited<ReturnType<T[K]>>>;
  stop(): Promise<void>;
}

/** Starts one that knows the jobs of a file below test/bench. */
export function startAsker<T extends JobTable>(file: string): Asker<T> {
  const child = fork(here(file), { serialization: 'advanced' });
  running.add(child);
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${file} ended`);
  });
  gone.catch(() => undefined);
  return {
    async ask(kind, job) {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(ASK_MS) });
      child.send({ kind, job });
      const [{ result, error }] = (await Promise.race([answer, gone])) as [{ result?: never; error?: string }];
      if (error !== undefined) throw new Error(error);
      return result as never;
    },
    stop: () => stop(child),
  };
}
