import { setTimeout as delay } from 'node:timers/promises';
import type { Query } from '../database/drivers.ts';
import type { TaskStreamItem } from './model.ts';
import { taskById } from './reads.ts';
import type { Run } from './run.ts';

/** What is watched for the first word of an agent. */
export interface FirstWord {
  readonly query: Query;
  readonly taskId: string;
  /** The run that drives the task, when this replica does. */
  readonly run: Run | undefined;
  /** The next item of the log; it must end when the stream does. */
  readonly next: Promise<IteratorResult<TaskStreamItem>>;
}

/** Pauses between looks at a task that another replica drives: they double from the first to the last. Milliseconds. */
const LOOK_MS = { first: 100, longest: 2_000 } as const;

/**
 * Waits for the agent's first word (DESIGN §3.5). Answers the log's next item when that is it; undefined once the agent
 * has named its task: an agent that says only that it has a task, submitted, changes nothing, and the log stays silent.
 */
export async function firstWord({
  query,
  taskId,
  run,
  next,
}: FirstWord): Promise<IteratorResult<TaskStreamItem> | undefined> {
  const word = await (run === undefined ? wordElsewhere(query, taskId, next) : Promise.race([next, namedBy(run)]));
  // A run that is over without a name has written why.
  return word === 'unnamed' ? await next : word === 'named' ? undefined : word;
}

async function wordElsewhere(
  query: Query,
  taskId: string,
  next: FirstWord['next'],
): Promise<Naming | IteratorResult<TaskStreamItem>> {
  const found = new AbortController();
  try {
    return await Promise.race([next, namedElsewhere(query, taskId, found.signal)]);
  } finally {
    found.abort();
  }
}

type Naming = 'named' | 'unnamed';

async function namedBy(run: Run): Promise<Naming> {
  await run.named;
  return run.upstreamTaskId === null ? 'unnamed' : 'named';
}

async function namedElsewhere(query: Query, taskId: string, signal: AbortSignal): Promise<Naming> {
  let pause: number = LOOK_MS.first;
  while (!signal.aborted) {
    const row = await taskById(query, taskId).catch(() => undefined);
    if (row !== undefined && row.upstreamTaskId !== null) return 'named';
    await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
    pause = Math.min(pause * 2, LOOK_MS.longest);
  }
  return 'unnamed';
}
