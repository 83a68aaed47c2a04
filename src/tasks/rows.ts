import { toDate, toDateOrNull } from '../database/values.ts';
import type { Entry, LoggedEntry, TaskRow } from './model.ts';

type Row = Record<string, unknown>;

/** Columns of `task t`, named as the model names them. */
export const TASK_COLUMNS = `t.id, t.agent as "agentId", t.owner, t.context as "contextId", t.dialect,
  t.client_task_id as "clientTaskId", t.state, t.status_message as "statusMessage", t.status_at as "statusAt",
  t.result_kind as "resultKind", t.last_sequence as "lastSequence", t.metadata, t.created_at as "createdAt",
  t.finished_at as "finishedAt", t.upstream_task_id as "upstreamTaskId", t.upstream_context_id as "upstreamContextId",
  t.lease_epoch as "leaseEpoch", t.lease_replica as "leaseReplica", t.join_key as "joinKey",
  t.recovered_at as "recoveredAt", t.push, t.elsewhere`;

/** Turns a row of {@link TASK_COLUMNS} into a task row, in place. */
export function toTaskRow(row: Row): TaskRow {
  row['statusAt'] = toDate(row['statusAt'] as string);
  row['createdAt'] = toDate(row['createdAt'] as string);
  row['finishedAt'] = toDateOrNull(row['finishedAt'] as string | null);
  row['recoveredAt'] = toDateOrNull(row['recoveredAt'] as string | null);
  row['lastSequence'] = Number(row['lastSequence']);
  return row as unknown as TaskRow;
}

/** A row of task_event as it is read: task, sequence, kind, payload, at. */
export interface EventRow {
  readonly task: string;
  readonly sequence: number;
  readonly kind: Entry['kind'];
  readonly payload: object;
  readonly at: string;
}

export const toLogged = (row: EventRow): LoggedEntry => ({
  sequence: Number(row.sequence),
  at: toDate(row.at),
  entry: { kind: row.kind, ...row.payload } as Entry,
});

/** What is stored of an entry; the kind has a column of its own. */
export function payloadOf(entry: Entry): string {
  const { kind: _, ...payload } = entry;
  return JSON.stringify(payload);
}
