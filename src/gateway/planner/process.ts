import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanNode } from '@graphql-hive/router-query-planner';
import { RollcallError } from '../../errors.ts';
import { DeadlyOperations } from './deadly.ts';
import type { PlannerRequest, PlannerResponse } from './messages.ts';
import { RESTARTS, type RestartPolicy, Restarts } from './restarts.ts';

export interface Planner {
  /**
   * The plan of a valid operation; null when nothing has to be fetched. `INTERNAL` when the planner cannot plan it,
   * `OVERLOADED` while it is not started again because it ended too often.
   */
  plan(query: string, operationName: string | undefined): Promise<PlanNode | null>;
  close(): void;
}

export interface PlannerOptions {
  /** Milliseconds until a plan is given up; 10,000 when left out. */
  readonly timeoutMs?: number;
  /** {@link RESTARTS} when left out. */
  readonly restarts?: RestartPolicy;
}

interface Pending {
  readonly request: PlannerRequest;
  resolve(response: PlannerResponse): void;
  reject(error: RollcallError): void;
}

// The same extension as this file's: sources run as they are, and compiled.
const CHILD = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));

/**
 * Starts a query planner in a process of its own. The planner is a native module that ends its process on some valid
 * operations ("panic in a function that cannot unwind"), so no client's query may reach it inside the gateway. Here
 * such an operation fails alone: the process is started anew and the others' requests are sent again. The operation is
 * remembered and refused from then on; a process that ends often is started again after pauses that grow.
 *
 * Rejects with `FAILED_PRECONDITION` where the planner has no build (musl, Windows), `INVALID_INPUT` for a supergraph
 * that it cannot read.
 */
export async function startPlanner(supergraphSdl: string, options: PlannerOptions = {}): Promise<Planner> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const pending: Pending[] = [];
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let paused: NodeJS.Timeout | undefined;
  let pausedUntil = 0;
  const deadly = new DeadlyOperations(supergraphSdl);
  const restarts = new Restarts(options.restarts ?? RESTARTS);
  let everLoaded = false;
  await load();
  everLoaded = true;

  async function load(): Promise<void> {
    start();
    const response = await send({ kind: 'load', supergraphSdl }, 'first');
    if (response.kind === 'loaded') return;
    close();
    throw loadFailure(response);
  }

  function start(): void {
    // No environment: it holds our secrets, and the planner needs none of it.
    const started = fork(CHILD, [], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
    child = started;
    started.unref();
    started.channel?.unref();
    started.on('message', (response: PlannerResponse) => {
      const first = pending.shift();
      watch();
      first?.resolve(response);
    });
    started.once('error', () => restart(started));
    started.once('exit', () => restart(started));
  }

  function send(request: PlannerRequest, place: 'first' | 'last'): Promise<PlannerResponse> {
    return new Promise((resolve, reject) => {
      const entry = { request, resolve, reject };
      if (place === 'first') pending.unshift(entry);
      else pending.push(entry);
      deliver(request);
      watch();
    });
  }

  /** A process that is already gone reports its end: the request is then still in `pending`. */
  function deliver(request: PlannerRequest): void {
    child?.send(request, () => {});
  }

  /** Only the first request is being worked on: it alone has a deadline. While one runs, the process keeps us alive. */
  function watch(): void {
    clearTimeout(timer);
    if (pending.length === 0) {
      child?.channel?.unref();
      return;
    }
    child?.channel?.ref();
    timer = setTimeout(() => child?.kill('SIGKILL'), timeoutMs);
  }

  function restart(ended: ChildProcess): void {
    if (closed || ended !== child) return;
    child = undefined;
    clearTimeout(timer);
    const culprit = pending.shift();
    const waiting = pending.splice(0);
    if (culprit?.request.kind === 'plan') deadly.add(culprit.request.query, culprit.request.operationName);
    culprit?.reject(unplannable('the planner failed on it'));
    if (!everLoaded) {
      close();
      return;
    }
    const pauseMs = restarts.ended(performance.now());
    if (pauseMs > 0) {
      pausedUntil = performance.now() + pauseMs;
      for (const entry of waiting) entry.reject(pausing(pauseMs));
      paused = setTimeout(begin, pauseMs, []);
      paused.unref();
    } else begin(waiting);
  }

  function begin(waiting: readonly Pending[]): void {
    paused = undefined;
    // A process that ends while it loads is a further end: `restart` comes again, and the pause grows.
    const loaded = load();
    for (const entry of waiting) {
      const { request } = entry;
      if (request.kind === 'plan' && deadly.has(request.query, request.operationName)) {
        entry.reject(unplannable('the planner failed on it'));
        continue;
      }
      pending.push(entry);
      deliver(request);
    }
    loaded.catch(() => {});
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    clearTimeout(paused);
    child?.kill();
    for (const entry of pending.splice(0)) {
      entry.reject(new RollcallError('SHUTTING_DOWN', 'The gateway is closing; try again.'));
    }
  }

  return {
    async plan(query, operationName) {
      if (closed) throw new RollcallError('SHUTTING_DOWN', 'The gateway is closing; try again.');
      if (deadly.has(query, operationName)) throw unplannable('the planner failed on it before');
      if (paused !== undefined) throw pausing(pausedUntil - performance.now());
      const response = await send({ kind: 'plan', query, operationName }, 'last');
      if (response.kind === 'planned') return response.node;
      throw unplannable(response.kind === 'failed' ? response.reason : 'the planner gave no plan');
    },
    close,
  };
}

const unplannable = (reason: string): RollcallError =>
  new RollcallError('INTERNAL', 'The gateway cannot plan this operation; write it differently or report it.', {
    cause: new Error(`query planner: ${reason}`),
  });

const pausing = (pauseMs: number): RollcallError =>
  new RollcallError(
    'OVERLOADED',
    `The gateway plans no new operations for ${Math.max(1, Math.ceil(pauseMs / 1_000))} s, because its planner failed repeatedly; try again.`,
  );

function loadFailure(response: PlannerResponse): RollcallError {
  const reason = 'reason' in response ? response.reason : 'unexpected answer';
  if (response.kind === 'unavailable') {
    const platform = `${process.platform}-${process.arch}`;
    return new RollcallError(
      'FAILED_PRECONDITION',
      `The query planner has no build for ${platform} with this C library; use glibc Linux or macOS.`,
      { cause: new Error(reason) },
    );
  }
  return new RollcallError('INVALID_INPUT', `SUPERGRAPH: not a supergraph that can be planned: ${reason}`, {
    field: 'SUPERGRAPH',
  });
}
