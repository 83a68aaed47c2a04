import { defineEntity, p } from '@mikro-orm/core';
import { counter, moment } from './columns.ts';

const json = () => p.json<unknown>().columnType('json');

/**
 * One piece of work: the fold of its event log, as far as lists and filters need it. Messages and artifacts are read
 * from the log. The lease says which replica drives an unfinished task; a write under an older epoch is refused.
 *
 * `context` is text, as clients may bring their own; it means something only together with the owner. `joinKey` is
 * the digest by which a repeated send finds this task, while it may (DESIGN §3.3). `agent` is no foreign key: agents are
 * never removed, and the check would lock the agent's row for every task that begins. JSON is kept as `json`, not `jsonb`:
 * jsonb refuses escapes that are valid JSON, and one agent's odd text must not fail a write.
 */
export const TaskEntity = defineEntity({
  name: 'Task',
  tableName: 'task',
  indexes: [
    {
      name: 'task_owner_idx',
      expression: `create index "task_owner_idx" on "task" ("owner", "status_at" desc, "id" desc)`,
    },
    { name: 'task_status_idx', expression: `create index "task_status_idx" on "task" ("status_at" desc, "id" desc)` },
    {
      name: 'task_agent_idx',
      expression: `create index "task_agent_idx" on "task" ("agent", "status_at" desc, "id" desc)`,
    },
    {
      name: 'task_owner_agent_idx',
      expression: `create index "task_owner_agent_idx" on "task" ("owner", "agent", "status_at" desc, "id" desc)`,
    },
    {
      name: 'task_context_idx',
      expression: `create index "task_context_idx" on "task" ("owner", "context", "status_at" desc, "id" desc)`,
    },
    {
      name: 'task_lease_idx',
      expression: `create index "task_lease_idx" on "task" ("lease_until") where "finished_at" is null`,
    },
    {
      name: 'task_compaction_idx',
      expression: `create index "task_compaction_idx" on "task" ("finished_at") where "finished_at" is not null and "compacted_at" is null`,
    },
  ],
  uniques: [
    {
      name: 'task_join_key',
      expression: `create unique index "task_join_key" on "task" ("join_key") where "join_key" is not null`,
    },
    {
      name: 'task_client_id_key',
      expression: `create unique index "task_client_id_key" on "task" ("owner", "agent", "client_task_id") where "client_task_id" is not null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    agent: p.uuid(),
    context: p.text(),
    owner: p.uuid(),
    dialect: p.text().default('1.0'),
    /** The id that a client of the early era chose. */
    clientTaskId: p.text().nullable(),
    state: p.text().default('submitted'),
    statusMessage: json().nullable(),
    statusAt: moment(),
    resultKind: p.text().default('task'),
    lastSequence: counter(),
    metadata: json().nullable(),
    joinKey: p.text().nullable(),
    upstreamTaskId: p.text().nullable(),
    upstreamContextId: p.text().nullable(),
    dispatchedAt: moment().nullable(),
    recoveredAt: moment().nullable(),
    finishedAt: moment().nullable(),
    /** When its log was folded into one entry. */
    compactedAt: moment().nullable(),
    leaseReplica: p.uuid().nullable(),
    leaseEpoch: p.integer().default(0),
    leaseUntil: moment().nullable(),
    createdAt: moment(),
    /** It has, or had, webhooks: only then does the statement that adds to its log look for them. */
    push: p.boolean().default(false),
    /** Its work is dispatched and followed by somebody else: no replica drives it, so it never has a lease. */
    elsewhere: p.boolean().default(false),
  },
});

/**
 * One entry of a task's append-only log, `sequence` from 1. Without a foreign key to its task: the check would be paid for
 * every entry, and entries are written only by the statement that writes the task's row.
 */
export const TaskEventEntity = defineEntity({
  name: 'TaskEvent',
  tableName: 'task_event',
  properties: {
    task: p.uuid().primary(),
    sequence: p.bigint('number').primary(),
    kind: p.text(),
    payload: json(),
    at: moment(),
  },
});

/** An Idempotency-Key that was used, as a digest of owner, agent and key: a send that repeats it gets the same task. */
export const TaskKeyEntity = defineEntity({
  name: 'TaskKey',
  tableName: 'task_key',
  indexes: [{ name: 'task_key_at_idx', expression: `create index "task_key_at_idx" on "task_key" ("at")` }],
  properties: {
    key: p.text().primary(),
    task: () => p.manyToOne(TaskEntity).fieldName('task').mapToPk().deleteRule('cascade').index(false),
    at: moment(),
  },
});
