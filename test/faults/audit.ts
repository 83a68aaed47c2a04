import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { post, rpc } from '../a2a/support.ts';
import { data } from '../support/app.ts';
import type { Work } from './agent-protocol.ts';
import { DIALECT } from './clients.ts';
import { type Entry, type Journal, textOf } from './journal.ts';
import { graphStream, type RawDialect, subscribeStream } from './streams.ts';
import { seenInGraph, seenInV1 } from './views.ts';

type Json = Record<string, any>;

async function a2aLog(url: string, { agentId, taskId }: Journal, dialect: RawDialect): Promise<Entry[]> {
  const { seen, plain } = DIALECT[dialect];
  const log: Entry[] = [];
  for await (const { sequence, result } of subscribeStream(`${url}a2a/${agentId}`, dialect, taskId!, 0)) {
    log.push({ ...seen(result), sequence, raw: plain(result) });
  }
  return log;
}

async function graphLog(url: string, { taskId }: Journal): Promise<Entry[]> {
  const log: Entry[] = [];
  for await (const event of graphStream(url, taskId!, 0)) {
    log.push({ ...seenInGraph(event), sequence: event['sequence'], raw: event });
  }
  return log;
}

const LOG_OF: Readonly<Record<string, (url: string, journal: Journal) => Promise<Entry[]>>> = {
  graph: graphLog,
  'raw 0.3': (url, journal) => a2aLog(url, journal, '0.3'),
};

/** What a client must have written down, given what it began with. */
function expected(first: Entry, log: readonly Entry[]): unknown[] {
  if (first.kind !== 'snapshot') return log.map(({ raw }) => raw);
  const until = log.filter((entry) => entry.sequence! <= first.sequence!);
  expect(first.text, 'the snapshot stands for the log up to its sequence').toBe(textOf(until));
  return [first.raw, ...log.slice(until.length).map(({ raw }) => raw)];
}

/** Writes down all that is known of a task, for whoever looks into a difference; answers where. */
function keep({ client, taskId }: Journal, known: object): string {
  const file = join(tmpdir(), `rollcall-kill-${taskId}.json`);
  writeFileSync(file, JSON.stringify({ client, taskId, ...known }, undefined, 2));
  return `all of both is in ${file}`;
}

/** How a task ended, once everything about it was found to be right. */
export interface Outcome {
  readonly journal: Journal;
  readonly unknown: boolean;
  readonly executions: number;
}

/** Compares what a client wrote down with the log, the task, and what the agent says that it did. */
export async function audit(url: string, journal: Journal, work: Work | undefined): Promise<Outcome> {
  const { client, agentId, taskId, entries } = journal;
  const where = `${client}, task ${taskId}`;
  const log = await a2aLog(url, journal, '1.0');
  const full = await graphLog(url, journal);
  expect(
    full.map(({ sequence }) => sequence),
    `${where}: sequences`,
  ).toEqual(full.map((_, i) => i + 1));

  const { body } = await post(`${url}a2a/${agentId}`, rpc('GetTask', { id: taskId }), { 'a2a-version': '1.0' });
  const task = seenInV1({ task: body['result'] as Json });
  const last = (log.at(-1)!.raw as Json)['statusUpdate'];
  const unknown = task.state === 'failed' && last?.metadata?.errorCode === 'OUTCOME_UNKNOWN';
  const executions = work?.executions ?? 0;
  if (unknown) {
    expect(
      full.map(({ kind }) => kind),
      `${where}: only what had no answer is unknown`,
    ).toEqual(['status', 'status']);
    expect(journal.retrySafe, `${where}: a retry would have been safe`).toBe(false);
  } else {
    expect({ state: task.state, last }, where).toMatchObject({ state: 'completed' });
    const sent = work!.chunks.join('');
    expect({ log: textOf(log), client: textOf(entries), task: task.text }, `${where}: chunks`).toEqual({
      log: sent,
      client: sent,
      task: sent,
    });
  }
  // Each event once and in order. The SDK tells no sequences; what it has in the end was compared above.
  if (entries[0]!.sequence !== undefined) {
    const mine = (await LOG_OF[client]?.(url, journal)) ?? log;
    const written = entries.map(({ raw }) => raw);
    const wanted = expected(entries[0]!, mine);
    const kept = isDeepStrictEqual(written, wanted) ? '' : ` (${keep(journal, { written, wanted, log, full })})`;
    expect(written, `${where}: the journal and the log${kept}`).toEqual(wanted);
  }
  if (!journal.retrySafe) expect(executions, `${where}: executions`).toBeLessThanOrEqual(1);
  return { journal, unknown, executions };
}

/** The ids of all tasks that there are. */
export async function allTasks(url: string): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: Json = await data(
      url,
      'query($after: String) { tasks(first: 200, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
      { after },
    );
    const { nodes, pageInfo } = page['tasks'];
    ids.push(...(nodes as { id: string }[]).map(({ id }) => id));
    if (!pageInfo.hasNextPage) return ids;
    after = pageInfo.endCursor as string;
  }
}
