import { randomUUID } from 'node:crypto';
import { HIDDEN_WORD } from '../support/world.ts';
import { deploymentOf, type GraphRule, input, newCard, ofAgent, ofProvider, ofTask, skillOf } from './graph-rule.ts';
import { SEND, WRITE, WRITE_AND_READ } from './scopes.ts';

export const MUTATIONS: Readonly<Record<string, GraphRule>> = {
  'Mutation.registerAgent': {
    scopes: WRITE,
    document: input('registerAgent', 'RegisterAgentInput', 'id name'),
    variables: () => ({ input: { name: 'Newcomer', executionType: 'ECHO' } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.updateAgent': ofAgent(input('updateAgent', 'UpdateAgentInput'), (id) => ({ id, name: 'Another' })),
  'Mutation.setAgentStatus': ofAgent(input('setAgentStatus', 'SetAgentStatusInput'), (id) => ({
    id,
    status: 'INACTIVE',
  })),
  'Mutation.deleteAgent': ofAgent(input('deleteAgent', 'DeleteAgentInput'), (id) => ({ id })),
  'Mutation.setTaskCategories': ofAgent(input('setTaskCategories', 'SetTaskCategoriesInput'), (agentId) => ({
    agentId,
    taskCategories: [],
  })),
  'Mutation.previewCard': {
    scopes: WRITE_AND_READ,
    document: 'mutation($url: String!) { previewCard(url: $url) { url registered { id handle } } }',
    variables: async (world) => {
      const url = newCard(world, 'Previewed');
      await world.mutate('importAgent', 'ImportAgentInput', {
        url,
        handle: `${HIDDEN_WORD}-${randomUUID()}`,
        visibility: 'PRIVATE',
      });
      return { url };
    },
    stranger: 'absent',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.importAgent': {
    scopes: WRITE,
    document: input('importAgent', 'ImportAgentInput'),
    variables: (world) => ({ input: { url: newCard(world, 'Imported') } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.refreshAgent': {
    scopes: WRITE,
    document: input('refreshAgent', 'RefreshAgentInput', 'agent { id }'),
    variables: async (world, visibility) => ({
      input: {
        id: (
          await world.mutate('importAgent', 'ImportAgentInput', {
            url: newCard(world, 'Refreshed'),
            visibility,
          })
        ).id,
      },
    }),
    stranger: 'NOT_FOUND',
    strangerInternal: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.registerDeployment': ofAgent(input('registerDeployment', 'RegisterDeploymentInput'), (agentId) => ({
    agentId,
    endpoint: '127.0.0.1:9',
    tls: false,
  })),
  'Mutation.updateDeployment': ofAgent(input('updateDeployment', 'UpdateDeploymentInput'), async (agentId, world) => ({
    id: await deploymentOf(world, agentId),
    weight: 2,
  })),
  'Mutation.removeDeployment': ofAgent(input('removeDeployment', 'RemoveDeploymentInput'), async (agentId, world) => ({
    id: await deploymentOf(world, agentId),
  })),
  'Mutation.registerProvider': {
    scopes: WRITE,
    document: input('registerProvider', 'ProviderInput'),
    variables: () => ({ input: { name: `Zoo ${randomUUID()}` } }),
    stranger: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.updateProvider': ofProvider(input('updateProvider', 'UpdateProviderInput'), (id) => ({
    id,
    name: `Other ${randomUUID()}`,
  })),
  'Mutation.deleteProvider': ofProvider(input('deleteProvider', 'DeleteProviderInput'), (id) => ({ id })),
  'Mutation.setProviderCardKeys': ofProvider(input('setProviderCardKeys', 'SetProviderCardKeysInput'), (id) => ({
    id,
    keys: [],
  })),
  'Mutation.createPushNotificationConfig': ofTask(
    input('createPushNotificationConfig', 'CreatePushNotificationConfigInput'),
    (taskId, world) => ({ taskId, url: world.webhook.url }),
  ),
  'Mutation.deletePushNotificationConfig': ofTask(
    input('deletePushNotificationConfig', 'DeletePushNotificationConfigInput'),
    async (taskId, world) => ({ taskId, key: await world.newPushConfig(taskId) }),
  ),
  'Mutation.addSkill': ofAgent(input('addSkill', 'AddSkillInput'), (agentId) => ({
    agentId,
    skill: { key: 'added', name: 'Added' },
  })),
  'Mutation.updateSkill': ofAgent(input('updateSkill', 'UpdateSkillInput'), async (agentId, world) => ({
    id: await skillOf(world, agentId),
    name: 'Another',
  })),
  'Mutation.removeSkill': ofAgent(input('removeSkill', 'RemoveSkillInput'), async (agentId, world) => ({
    id: await skillOf(world, agentId),
  })),
  'Mutation.sendMessage': {
    scopes: SEND,
    document: input('sendMessage', 'SendMessageInput', 'task { id }'),
    variables: (world, visibility) => ({ input: { agentId: world.agents[visibility], text: 'hello' } }),
    stranger: 'NOT_FOUND',
    strangerInternal: 'own',
    anonymous: 'UNAUTHENTICATED',
  },
  'Mutation.cancelTask': ofTask(input('cancelTask', 'CancelTaskInput'), (id) => ({ id })),
  'Mutation.loadRecords': {
    scopes: ['admin'],
    document: input('loadRecords', 'LoadRecordsInput', 'created'),
    variables: () => ({ input: { records: [], dryRun: true } }),
    stranger: 'FORBIDDEN',
    anonymous: 'UNAUTHENTICATED',
  },
};
