import type { Principal } from '../auth/principal.ts';
import type { Query } from '../database/drivers.ts';
import type { Count } from '../registry/lists/agent-counts.ts';
import { requireScope } from '../registry/visibility.ts';
import { tasksOfAgents, taskTotal, taskTotalsOfAgents } from './agent-tasks.ts';
import type { TaskFilter } from './filter.ts';
import type { TaskListRequest } from './list.ts';
import { contentsSeenBy, rowsSeenBy, type WantedTask } from './seen.ts';

/**
 * The reads of the engine's face that answer many at once: each is one statement, however much it is asked for.
 *
 * All throw RollcallError UNAUTHENTICATED and FORBIDDEN (scope tasks:read), but for those that judge several callers:
 * they answer such an error in the place of that caller's task.
 */
export const taskBatches = (query: Query) => ({
  /** The rows of tasks that several callers want at once, judged for each of them. See {@link rowsSeenBy}. */
  rowsSeenBy: (wanted: readonly WantedTask[]) => rowsSeenBy(query, wanted),

  /** As rowsSeenBy, each with its history and artifacts. */
  contentsSeenBy: (wanted: readonly WantedTask[]) => contentsSeenBy(query, wanted),

  /** How many tasks a list would show on all its pages, counted up to 10,000. */
  async total(principal: Principal, filter: TaskFilter = {}): Promise<Count> {
    requireScope(principal, 'tasks:read');
    return taskTotal(query, principal, filter);
  },

  /** A page of the caller's tasks with each of these agents. @throws RollcallError INVALID_INPUT (page size, cursor). */
  async ofAgents(principal: Principal, agentIds: readonly string[], request: TaskListRequest = {}) {
    requireScope(principal, 'tasks:read');
    return tasksOfAgents(query, principal, agentIds, request);
  },

  /** How many tasks there are on all of those pages, counted up to 10,000 for each agent. */
  async totalsOfAgents(principal: Principal, agentIds: readonly string[], filter: TaskFilter = {}): Promise<Count[]> {
    requireScope(principal, 'tasks:read');
    return taskTotalsOfAgents(query, principal, agentIds, filter);
  },
});
