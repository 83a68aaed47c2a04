import { data } from '../../support/app.ts';
import { type GraphRule, skillOf } from './graph-rule.ts';
import { READ, TASKS } from './scopes.ts';

export const QUERIES: Readonly<Record<string, GraphRule>> = {
  'Query.agents': {
    scopes: READ,
    document:
      '{ agents(first: 200) { nodes { id handle } totalCount { value } facets(fields: [TAG, SKILL_KEY]) { values { value } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.agent': {
    scopes: READ,
    document: 'query($id: ID!) { agent(id: $id) { id handle } }',
    variables: (world, visibility) => ({ id: world.agents[visibility] }),
    stranger: 'null',
    anonymous: 'null',
  },
  'Query.flytePreview': {
    scopes: READ,
    document: '{ flytePreview { open agents { agentId name supportedTaskTypes } warnings { message agentId } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.providers': {
    scopes: READ,
    document: '{ providers(first: 200) { nodes { id name agents { nodes { id handle } } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.provider': {
    scopes: READ,
    document: 'query($id: ID!) { provider(id: $id) { id agents(first: 200) { nodes { id handle } } } }',
    variables: (world) => ({ id: world.provider }),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.skills': {
    scopes: READ,
    document: '{ skills(first: 200) { nodes { id key agent { id } } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.skill': {
    scopes: READ,
    document: 'query($id: ID!) { skill(id: $id) { id key } }',
    variables: async (world, visibility) => ({ id: await skillOf(world, await world.newAgent(visibility)) }),
    stranger: 'null',
    anonymous: 'null',
  },
  'Query.task': {
    scopes: TASKS,
    document: 'query($id: ID!) { task(id: $id) { id statusMessage { parts { text } } } }',
    variables: (world) => ({ id: world.taskId }),
    stranger: 'null',
    anonymous: 'UNAUTHENTICATED',
  },
  'Query.tasks': {
    scopes: TASKS,
    document: '{ tasks(first: 200) { nodes { id statusMessage { parts { text } } } totalCount { value } } }',
    variables: () => ({}),
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
  'Query.exportRecords': {
    scopes: READ,
    document: 'query($after: String) { exportRecords(first: 200, after: $after) { records next } }',
    // Providers, which are everyone's, come first, on pages of their own.
    variables: async (world) => {
      const first = await data(world.url, '{ exportRecords(first: 200) { next } }', {}, world.owner);
      return { after: first['exportRecords'].next };
    },
    stranger: 'absent',
    anonymous: 'absent',
  },
  'Query.auditLog': {
    scopes: ['admin'],
    document: '{ auditLog(first: 200) { nodes { id actor operation targetId changes { field before after } } } }',
    variables: () => ({}),
    stranger: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
};
