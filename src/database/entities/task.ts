import { defineEntity, p } from '@mikro-orm/core';
import { AgentEntity } from './agent.ts';
import { counter, moment } from './columns.ts';

/**
 * One piece of work: the fold of its event log, as far as lists and filters need it. Messages and artifacts are read
 * from the log. The lease says which replica drives an unfinished task; a write under an older epoch is refused.
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
    { name: 'task_context_idx', expression: `create index "task_context_idx" on "task" ("context", "status_at" desc)` },
    {
      name: 'task_message_idx',
      expression: `create index "task_message_idx" on "task" ("owner", "agent", "message_id", "created_at" desc)`,
    },
    {
      name: 'task_lease_idx',
      expression: `create index "task_lease_idx" on "task" ("lease_until") where "finished_at" is null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    agent: () => p.manyToOne(AgentEntity).fieldName('agent').mapToPk().deleteRule('restrict').index(false),
    context: p.uuid(),
    owner: p.uuid(),
    dialect: p.text().default('1.0'),
    state: p.text().default('submitted'),
    statusMessage: p.json<unknown>().columnType('jsonb').nullable(),
    statusAt: moment(),
    resultKind: p.text().default('task'),
    lastSequence: counter(),
    messageId: p.text(),
    requestDigest: p.text(),
    metadata: p.json<unknown>().columnType('jsonb').nullable(),
    upstreamTaskId: p.text().nullable(),
    upstreamContextId: p.text().nullable(),
    dispatchedAt: moment().nullable(),
    finishedAt: moment().nullable(),
    leaseReplica: p.uuid().nullable(),
    leaseEpoch: p.integer().default(0),
    leaseUntil: moment().nullable(),
    createdAt: moment(),
  },
});

/** One entry of a task's append-only log, `sequence` from 1. */
export const TaskEventEntity = defineEntity({
  name: 'TaskEvent',
  tableName: 'task_event',
  properties: {
    task: () => p.manyToOne(TaskEntity).fieldName('task').mapToPk().primary().deleteRule('cascade').index(false),
    sequence: p.bigint('number').primary(),
    kind: p.text(),
    payload: p.json<unknown>().columnType('jsonb'),
    at: moment(),
  },
});
