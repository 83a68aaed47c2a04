import { allows, type Principal } from '../auth/principal.ts';
import { isUuid } from '../database/ids.ts';
import type { Values } from '../database/values.ts';
import { invalid } from '../errors.ts';
import type { TaskStateNotice } from '../events/events.ts';
import type { TaskState } from '../protocol/a2a/model.ts';

/** Which tasks. Conditions narrow together. */
export interface TaskFilter {
  readonly agentId?: string | null | undefined;
  /** Any of these. */
  readonly agentIds?: readonly string[] | null | undefined;
  readonly contextId?: string | null | undefined;
  /** Any of these. */
  readonly states?: readonly TaskState[] | null | undefined;
  /** Inclusive: tasks whose status is this old or younger. */
  readonly statusTimestampAfter?: Date | string | null | undefined;
  /** Of this owner; for callers with tasks:admin, who otherwise see everyone's. */
  readonly owner?: string | null | undefined;
}

/** More would only be a slow way to say "all". */
const MOST_AGENTS = 1_000;

/** What a caller's filter comes down to. */
interface Narrowed {
  /** Undefined: everyone's. */
  readonly owner: string | undefined;
  /** In lower case; undefined: any. */
  readonly agentIds: readonly string[] | undefined;
}

/** Ownership first (DESIGN §3.9). Undefined when nothing can match. */
function narrowed(principal: Principal, { owner, agentId, agentIds }: TaskFilter): Narrowed | undefined {
  const admin = allows(principal, 'tasks:admin');
  if (!admin && principal.anonymous) return undefined;
  const whose = admin ? (owner?.toLowerCase() ?? undefined) : principal.subject;
  if (owner != null && (owner.toLowerCase() !== whose?.toLowerCase() || !isUuid(owner))) return undefined;
  if (agentIds != null && agentIds.length > MOST_AGENTS) {
    throw invalid('filter.agentIds', `name at most ${MOST_AGENTS} agents, or none for all of them`);
  }
  const lists = [...(agentId == null ? [] : [[agentId]]), ...(agentIds == null ? [] : [agentIds])];
  if (lists.length === 0) return { owner: whose, agentIds: undefined };
  const [first, ...rest] = lists.map((ids) => ids.filter(isUuid).map((id) => id.toLowerCase()));
  return { owner: whose, agentIds: first!.filter((id) => rest.every((ids) => ids.includes(id))) };
}

/** A text that the database can hold, and therefore some task may have. */
const isText = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

/** The filter's moment. @throws RollcallError INVALID_INPUT. */
export function momentOf({ statusTimestampAfter }: TaskFilter): Date | undefined {
  if (statusTimestampAfter == null) return undefined;
  const moment = new Date(statusTimestampAfter);
  if (Number.isNaN(moment.getTime())) throw invalid('statusTimestampAfter', 'must be a date and time');
  const year = moment.getUTCFullYear();
  // What the database can compare with.
  if (year < 1 || year > 9999) throw invalid('statusTimestampAfter', 'must be in one of the years 1 to 9999');
  return moment;
}

/** The filter as SQL conditions over `t`, with the rule of who sees what; undefined when nothing can match. */
export function filterSql(principal: Principal, filter: TaskFilter, values: Values): string[] | undefined {
  const { contextId, states } = filter;
  const moment = momentOf(filter);
  const of = narrowed(principal, filter);
  if (of === undefined || of.agentIds?.length === 0) return undefined;
  if (contextId != null && !isText(contextId)) return undefined;
  const all: string[] = [];
  if (of.owner !== undefined) all.push(`t.owner = ${values.add(of.owner)}::uuid`);
  const [agent, ...more] = of.agentIds ?? [];
  if (more.length > 0) all.push(`t.agent = any(${values.add(of.agentIds)}::uuid[])`);
  else if (agent !== undefined) all.push(`t.agent = ${values.add(agent)}::uuid`);
  if (contextId != null) all.push(`t.context = ${values.add(contextId)}`);
  if (states != null) all.push(`t.state = any(${values.add([...states])}::text[])`);
  if (moment !== undefined) all.push(`t.status_at >= ${values.add(moment.toISOString())}::timestamptz`);
  return all;
}

/** The filter for changes as they happen. */
export interface ChangeFilter {
  /** Whose tasks; undefined: everyone's. Whoever hands out changes looks here first. */
  readonly owner: string | undefined;
  /** Of changes of that owner's tasks. Costs no query. */
  matches(change: TaskStateNotice): boolean;
}

/** The rule of {@link filterSql}, for changes at hand; undefined when nothing can match. */
export function changeFilter(principal: Principal, filter: TaskFilter): ChangeFilter | undefined {
  const of = narrowed(principal, filter);
  if (of === undefined || of.agentIds?.length === 0) return undefined;
  const agents = of.agentIds && new Set(of.agentIds);
  const states = filter.states && new Set<string>(filter.states);
  const { contextId } = filter;
  return {
    owner: of.owner,
    matches: (change) =>
      (agents === undefined || agents.has(change.agentId)) &&
      (states == null || states.has(change.to)) &&
      (contextId == null || contextId === change.contextId),
  };
}
