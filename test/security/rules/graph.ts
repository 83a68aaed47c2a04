import type { GraphRule } from './graph-rule.ts';
import { MUTATIONS } from './mutations.ts';
import { QUERIES } from './queries.ts';
import { READ, TASKS } from './scopes.ts';

/**
 * Who may do what, at every door. A field, a route or a remote procedure without a row in this folder fails the walk,
 * and so does a row for something that is gone.
 */

const SUBSCRIPTIONS: Readonly<Record<string, GraphRule>> = {
  'Subscription.agentsChanged': {
    scopes: READ,
    document: 'subscription { agentsChanged { agentId handle action } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Subscription.taskEvents': {
    scopes: TASKS,
    document:
      'subscription($id: ID!) { taskEvents(taskId: $id) { taskId sequence task { statusMessage { parts { text } } } } }',
    variables: (world) => ({ id: world.taskId }),
    stranger: 'TASK_NOT_FOUND',
    anonymous: 'UNAUTHENTICATED',
  },
  'Subscription.tasksChanged': {
    scopes: TASKS,
    document: 'subscription { tasksChanged { taskId agentId task { history { parts { text } } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
};

/** The fields of Query, Mutation and Subscription. */
export const GRAPH_RULES: Readonly<Record<string, GraphRule>> = { ...QUERIES, ...MUTATIONS, ...SUBSCRIPTIONS };
