import { toDate, toDateOrNull } from '../database/values.ts';
import type { Agent, AgentChange, AgentUsage, Provider, Skill } from './model.ts';

type Row = Record<string, unknown>;

/** Columns of `agent a` and its `provider p`, named as the model names them. */
export const AGENT_COLUMNS = `a.id, a.handle, a.name, a.description, a.version, a.type, a.execution_type as "executionType",
  a.status, a.input_modes as "inputModes", a.output_modes as "outputModes", a.capabilities, a.url, a.interfaces,
  a.documentation_url as "documentationUrl", a.icon_url as "iconUrl", a.extensions,
  a.authentication_type as "authenticationType", a.authentication_config is not null as "hasCredentials", a.streaming,
  a.push_notifications as "pushNotifications", a.state_transition_history as "stateTransitionHistory",
  a.retry_safe as "retrySafe", a.flyte_name as "flyteName", a.is_sync as "isSync", a.owner, a.visibility,
  a.created_at as "createdAt", a.updated_at as "updatedAt", a.revision,
  p.id as p_id, p.name as p_name, p.url as p_url, p.owner as p_owner, p.revision as p_revision,
  p.created_at as p_created_at, p.updated_at as p_updated_at`;

/** The tables behind {@link AGENT_COLUMNS}. */
export const AGENT_TABLES = 'agent a left join provider p on p.id = a.provider';

export const PROVIDER_COLUMNS = `p.id, p.name, p.url, p.owner, p.revision, p.created_at as "createdAt", p.updated_at as "updatedAt"`;

export const SKILL_COLUMNS = `s.id, s.agent as "agentId", s.key, s.name, s.description, s.tags, s.examples,
  s.input_modes as "inputModes", s.output_modes as "outputModes", s.created_at as "createdAt", s.updated_at as "updatedAt"`;

/** Turns a row of {@link AGENT_COLUMNS} into an agent, in place: lists are hot. */
export function toAgent(row: Row): Agent {
  const agent = row as Row & { provider: Provider | null };
  agent['createdAt'] = toDate(row['createdAt'] as string);
  agent['updatedAt'] = toDate(row['updatedAt'] as string);
  agent.provider =
    row['p_id'] === null
      ? null
      : {
          id: row['p_id'] as string,
          name: row['p_name'] as string,
          url: row['p_url'] as string | null,
          owner: row['p_owner'] as string,
          revision: row['p_revision'] as number,
          createdAt: toDate(row['p_created_at'] as string),
          updatedAt: toDate(row['p_updated_at'] as string),
        };
  return agent as unknown as Agent;
}

const withDates = <T>(row: Row): T => {
  row['createdAt'] = toDate(row['createdAt'] as string);
  row['updatedAt'] = toDate(row['updatedAt'] as string);
  return row as T;
};

export const toProvider = (row: Row): Provider => withDates(row);
export const toSkill = (row: Row): Skill => withDates(row);

export const CHANGE_COLUMNS = `c.id, c.agent as "agentId", c.revision, c.action, c.actor, c.at, c.changes`;
export const toChange = (row: Row): AgentChange => ({ ...row, at: toDate(row['at'] as string) }) as AgentChange;

export const USAGE_COLUMNS = `u.agent as "agentId", u.calls, u.failures, u.last_used_at as "lastUsedAt"`;
export const toUsage = (row: Row): AgentUsage => ({
  agentId: row['agentId'] as string,
  calls: Number(row['calls']),
  failures: Number(row['failures']),
  lastUsedAt: toDateOrNull(row['lastUsedAt'] as string | null),
});
