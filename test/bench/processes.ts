import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load.ts';

const START_MS = 60_000;
const STOP_MS = 8_000;
/** The unit of times in /proc: Linux has had 100 a second on every architecture for decades. */
const TICK_MS = 10;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** From the start of the process to the first answer that it is ready. */
  readonly readyMs: number;
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

async function serve(file: string, env: Record<string, string>, printed: RegExp, ready: string) {
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
      const match = printed.exec(said);
      if (match !== null) done(() => resolve(match[1]!));
    });
    child.once('exit', () => done(() => reject(new Error(`${file} ended: ${said}`))));
  });
  const answer = await fetch(new URL(ready, url));
  await answer.text();
  if (!answer.ok) throw new Error(`${file} is not ready: ${answer.status}`);
  return {
    url,
    readyMs: performance.now() - from,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    processor: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    },
    stop: () => stop(child),
  } satisfies ServerProcess;
}

/** Rollcall as it ships: the compiled code. */
export const startRollcall = (env: Record<string, string>): Promise<ServerProcess> =>
  serve(
    'dist/src/main.js',
    { PORT: '0', GRPC_PORT: '0', FLYTE_PORT: '0', LOG_LEVEL: 'warn', ...env },
    /GraphQL\s+(http:\S+)graphql/,
    '/health/ready',
  );

/** What Rollcall is measured against. */
export const startPeer = (databaseUrl: string): Promise<ServerProcess> =>
  serve(here('registry/peer.ts'), { DATABASE_URL: databaseUrl }, /listening at (http:\S+)/, '/');

/** The process that asks. */
export interface Asker {
  ask(job: LoadJob): Promise<LoadResult>;
  stop(): Promise<void>;
}

export function startAsker(): Asker {
  const child = fork(here('load.ts'));
  running.add(child);
  return {
    async ask(job) {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(job.ms + 60_000) });
      child.send(job);
      const [{ result, error }] = (await answer) as [{ result?: LoadResult; error?: string }];
      if (result === undefined) throw new Error(error);
      return result;
    },
    stop: () => stop(child),
  };
}
