import { randomUUID } from 'node:crypto';
import type { Scope } from '../../../src/auth/principal.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { cardV1 } from '../../support/card-server.ts';
import { HIDDEN_WORD, type Visibility, type World } from '../support/world.ts';
import { SEND, WRITE } from './scopes.ts';

/**
 * What a caller gets to see who may not see it all: an error, null, an answer without the owner's things, or an answer
 * about things of their own.
 */
export type Sight = ErrorCode | 'null' | 'absent' | 'own';

export interface GraphRule {
  /** Scopes that are needed, each of them. */
  readonly scopes: readonly Scope[];
  readonly document: string;
  /** Variables of a call that its owner may make; what it uses up is made anew each time. */
  readonly variables: (world: World, visibility: Visibility) => Promise<object> | object;
  readonly stranger: Sight;
  readonly anonymous: Sight;
  /** What a stranger is told about an internal agent, where that differs from a private one. */
  readonly strangerInternal?: Sight;
}

export const input = (field: string, type: string, shown = 'id'): string =>
  `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;

/** A change of an agent: to a stranger a private one does not exist, and an internal one is not theirs. */
export const ofAgent = (
  document: string,
  more: (agentId: string, world: World, visibility: Visibility) => Promise<object> | object,
): GraphRule => ({
  scopes: WRITE,
  document,
  variables: async (world, visibility) => ({
    input: await more(await world.newAgent(visibility), world, visibility),
  }),
  stranger: 'NOT_FOUND',
  strangerInternal: 'FORBIDDEN',
  anonymous: 'UNAUTHENTICATED',
});

export const ofTask = (
  document: string,
  more: (taskId: string, world: World) => Promise<object> | object,
): GraphRule => ({
  scopes: SEND,
  document,
  variables: async (world) => ({ input: await more(await world.newTask(world.agents.PRIVATE), world) }),
  stranger: 'TASK_NOT_FOUND',
  anonymous: 'UNAUTHENTICATED',
});

export const ofProvider = (document: string, more: (id: string) => object): GraphRule => ({
  scopes: WRITE,
  document,
  variables: async (world) => ({
    input: more((await world.mutate('registerProvider', 'ProviderInput', { name: `Zoo ${randomUUID()}` })).id),
  }),
  // Providers are everyone's to see.
  stranger: 'FORBIDDEN',
  anonymous: 'UNAUTHENTICATED',
});

/** A card at an address of its own. */
export const newCard = ({ cards }: World, name: string): string => {
  const path = `/${randomUUID()}`;
  cards.on(`${path}/.well-known/agent-card.json`, cardV1({ name }));
  return `${cards.url}${path.slice(1)}/`;
};

export const skillOf = async (world: World, agentId: string): Promise<string> =>
  (
    await world.mutate('addSkill', 'AddSkillInput', {
      agentId,
      skill: { key: `${HIDDEN_WORD}-more`, name: `${HIDDEN_WORD} more` },
    })
  ).id;
export const deploymentOf = async (world: World, agentId: string): Promise<string> =>
  (
    await world.mutate('registerDeployment', 'RegisterDeploymentInput', {
      agentId,
      endpoint: '127.0.0.1:9',
      tls: false,
    })
  ).id;
