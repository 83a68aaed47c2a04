import { defineEntity, p } from '@mikro-orm/core';
import { AgentEntity } from './agent.ts';
import { counter, moment, sortedText } from './columns.ts';

const agentKey = () => p.manyToOne(AgentEntity).fieldName('agent').mapToPk().deleteRule('cascade').index(false);

/** One accepted change of an agent: who, when, what. `changes` is a list of {field, before, after}, without secrets. */
export const AgentChangeEntity = defineEntity({
  name: 'AgentChange',
  tableName: 'agent_change',
  indexes: [
    {
      name: 'agent_change_agent_idx',
      expression: `create index "agent_change_agent_idx" on "agent_change" ("agent", "id")`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    agent: () => agentKey(),
    revision: p.integer(),
    action: p.text(),
    actor: p.uuid(),
    at: moment(),
    changes: p.json<unknown>().columnType('jsonb').defaultRaw(`'[]'`),
  },
});

/**
 * Traffic of an agent, flushed every few seconds. `lastUsedAt` of an agent never used is -infinity, not null: a keyset
 * page needs one total order. One row an agent, made with it.
 */
export const AgentUsageEntity = defineEntity({
  name: 'AgentUsage',
  tableName: 'agent_usage',
  indexes: [
    {
      name: 'agent_usage_last_used_at_idx',
      expression: `create index "agent_usage_last_used_at_idx" on "agent_usage" ("last_used_at", "agent")`,
    },
  ],
  properties: {
    agent: () => agentKey().primary(),
    calls: counter(),
    failures: counter(),
    lastUsedAt: moment().defaultRaw(`'-infinity'`),
  },
});

/**
 * How long the calls of one day took, in UTC: a histogram, the same size however many calls there were (see
 * registry/latency.ts). Replicas add to the same row.
 */
export const AgentLatencyEntity = defineEntity({
  name: 'AgentLatency',
  tableName: 'agent_latency',
  properties: {
    agent: () => agentKey().primary(),
    day: p.date().primary(),
    buckets: p.array().columnType('int[]').defaultRaw(`'{}'`),
  },
});

/**
 * An imported A2A card, kept byte for byte. Its url is not unique: two tenants that do not see one another may both have
 * imported it. cards/import.ts sees to it that no caller imports what that caller sees already.
 */
export const SourceCardEntity = defineEntity({
  name: 'SourceCard',
  tableName: 'source_card',
  indexes: [{ name: 'source_card_url_idx', expression: `create index "source_card_url_idx" on "source_card" ("url")` }],
  properties: {
    agent: () => agentKey().primary(),
    url: p.text(),
    era: p.text(),
    body: p.uint8array().columnType('bytea'),
    digest: p.text(),
    etag: p.text().nullable(),
    signatures: p.json<unknown>().columnType('jsonb').defaultRaw(`'[]'`),
    fetchedAt: moment(),
    verification: p.text().default('not_checked'),
    verifiedKid: p.text().nullable(),
  },
});

/** Flyte's task category. Each (name, version) belongs to one agent. */
export const TaskCategoryEntity = defineEntity({
  name: 'TaskCategory',
  tableName: 'task_category',
  indexes: [
    {
      name: 'task_category_agent_idx',
      expression: `create index "task_category_agent_idx" on "task_category" ("agent")`,
    },
  ],
  properties: {
    name: sortedText().primary(),
    version: p.integer().primary(),
    agent: () => agentKey(),
  },
});
