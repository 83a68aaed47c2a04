import { randomUUID } from 'node:crypto';
import { type Client, credentials, Client as GrpcClient } from '@grpc/grpc-js';
import type { App } from '../../../src/app.ts';
import { SCOPES, type Scope } from '../../../src/auth/principal.ts';
import { data, startTestApp } from '../../support/app.ts';
import { type CardServer, startCardServer } from '../../support/card-server.ts';
import { JWT_SETTINGS, tokenFor, USER_SCOPES } from '../../support/tokens.ts';
import { startWebhook, type Webhook } from '../../support/webhook.ts';

/** Settings of servers that ask for tokens, reach loopback, and never count requests: the tests ask as fast as they can. */
export const WORLD_SETTINGS: Record<string, string> = {
  ...JWT_SETTINGS,
  EGRESS_ALLOW: '127.0.0.1/32',
  RATE_LIMIT_PER_CALLER: '0',
  RATE_LIMIT_PER_ADDRESS: '0',
  MAX_STREAMS_PER_CALLER: '0',
  MAX_SOCKETS_PER_CALLER: '0',
  MAX_RUNNING_TASKS_PER_CALLER: '0',
  MAX_PUSH_CONFIGS_PER_CALLER: '0',
};

export const VISIBILITIES = ['PRIVATE', 'INTERNAL', 'PUBLIC'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** A server with tokens, and what somebody owns there. */
export interface World {
  readonly app: App;
  readonly url: string;
  readonly cards: CardServer;
  readonly webhook: Webhook;
  readonly owner: string;
  readonly stranger: string;
  readonly admin: string;
  /** The owner's token, without one scope. */
  readonly without: ReadonlyMap<Scope, string>;
  /** The owner's agents, with everything that an agent can have. */
  readonly agents: Readonly<Record<Visibility, string>>;
  /** A task of the owner with the private agent that waits for input, and its webhook. */
  readonly taskId: string;
  readonly provider: string;
  readonly a2aGrpc: Client;
  readonly flyteGrpc: Client;
  /** As the owner. */
  mutate(field: string, type: string, input: object, shown?: string): Promise<any>;
  newAgent(visibility: Visibility, more?: object): Promise<string>;
  newTask(agentId: string, text?: string): Promise<string>;
  newPushConfig(taskId: string): Promise<string>;
  close(): Promise<void>;
}

/** In names and descriptions of what nobody else may see. */
export const HIDDEN_WORD = 'quokkafish';
/** In every stored credential: nobody may see it, the owner included. */
export const CREDENTIAL_WORD = 'opensesame';

export const OWNER = randomUUID();
export const STRANGER = randomUUID();
const FLYTE = randomUUID();

export async function startWorld(): Promise<World> {
  const [app, cards, webhook] = await Promise.all([
    startTestApp({ ...WORLD_SETTINGS, FLYTE_PRINCIPAL: FLYTE }),
    startCardServer(),
    startWebhook(),
  ]);
  const { url, grpc, flyte } = app.addresses;
  const [owner, stranger, admin] = await Promise.all([
    tokenFor(OWNER),
    tokenFor(STRANGER),
    tokenFor(randomUUID(), SCOPES),
  ]);
  const without = new Map<Scope, string>();
  for (const scope of USER_SCOPES)
    without.set(
      scope,
      await tokenFor(
        OWNER,
        USER_SCOPES.filter((other) => other !== scope),
      ),
    );
  const a2aGrpc = new GrpcClient(grpc, credentials.createInsecure());
  const flyteGrpc = new GrpcClient(flyte!, credentials.createInsecure());

  const mutate: World['mutate'] = async (field, type, input, shown = 'id') =>
    (await data(url, `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`, { input }, owner))[field];
  let made = 0;
  const newAgent: World['newAgent'] = async (visibility, more = {}) => {
    made += 1;
    const word = visibility === 'PRIVATE' ? HIDDEN_WORD : 'wombat';
    const input = {
      name: `${word} ${made}`,
      handle: `${word}-${made}`,
      description: `the ${word}`,
      executionType: 'ECHO',
      visibility,
      authentication: { type: 'BEARER', token: `${CREDENTIAL_WORD}-bearer-${made}` },
      flyteName: `${word}-flyte-${made}`,
      taskCategories: [{ name: `${word}_category_${made}`, version: 0 }],
      skills: [{ key: `${word}-skill`, name: `${word} skill`, tags: [word] }],
      ...more,
    };
    return (await mutate('registerAgent', 'RegisterAgentInput', input)).id;
  };
  const newTask: World['newTask'] = async (agentId, text = `ask: ${HIDDEN_WORD}?`) =>
    (await mutate('sendMessage', 'SendMessageInput', { agentId, text }, 'task { id }')).task.id;
  const newPushConfig: World['newPushConfig'] = async (taskId) => {
    const key = `hook-${HIDDEN_WORD}-${++made}`;
    await mutate('createPushNotificationConfig', 'CreatePushNotificationConfigInput', {
      taskId,
      key,
      url: webhook.url,
      token: `${CREDENTIAL_WORD}-token`,
      authentication: { scheme: 'Bearer', credentials: `${CREDENTIAL_WORD}-credentials` },
    });
    return key;
  };

  const provider = (await mutate('registerProvider', 'ProviderInput', { name: 'Zoo', url: 'https://zoo.example/' })).id;
  const agents = {} as Record<Visibility, string>;
  for (const visibility of VISIBILITIES) {
    agents[visibility] = await newAgent(visibility, { providerId: provider });
    await mutate('registerDeployment', 'RegisterDeploymentInput', {
      agentId: agents[visibility],
      endpoint: '127.0.0.1:9',
      tls: false,
    });
  }
  const taskId = await newTask(agents.PRIVATE);
  await newPushConfig(taskId);

  return {
    app,
    url,
    cards,
    webhook,
    owner,
    stranger,
    admin,
    without,
    agents,
    taskId,
    provider,
    a2aGrpc,
    flyteGrpc,
    mutate,
    newAgent,
    newTask,
    newPushConfig,
    async close() {
      a2aGrpc.close();
      flyteGrpc.close();
      await app.close();
      await Promise.all([cards.close(), webhook.close()]);
    },
  };
}
