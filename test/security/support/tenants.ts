import { randomUUID } from 'node:crypto';
import { type Client, credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { ask, data } from '../../support/app.ts';
import type { CardServer } from '../../support/card-server.ts';
import { tokenFor } from '../../support/tokens.ts';
import type { Talker } from './talker.ts';

/** Two tenants of one server, everything of each marked by a word of its own, and what each may try. */

/** What both tenants use. */
export interface Ground {
  readonly url: string;
  readonly a2aGrpc: Client;
  /** An agent that anyone may use. */
  readonly shared: string;
  /** Another one, which keeps conversations of its own. */
  readonly talker: Talker;
  readonly cards: CardServer;
  readonly webhook: string;
}

/** A tenant, and what they made so far: the model. */
export interface Tenant {
  readonly ground: Ground;
  readonly name: string;
  readonly subject: string;
  readonly token: string;
  /** In every name and text of theirs. */
  readonly word: string;
  agents: string[];
  /** Tasks that wait for input. */
  tasks: string[];
  configs: { readonly taskId: string; readonly id: string }[];
  /** Every event that came to their subscriptions, as text. */
  readonly heard: string[];
  /** What went wrong on a subscription. */
  readonly faults: unknown[];
  stopListening: () => Promise<void>;
}

export const openGround = ({ grpc, ...more }: Omit<Ground, 'a2aGrpc'> & { readonly grpc: string }): Ground => ({
  ...more,
  a2aGrpc: new GrpcClient(grpc, credentials.createInsecure()),
});

export const graph = async (tenant: Tenant, query: string, variables: object = {}) => {
  return graphAs(tenant.token, tenant.ground, query, variables);
};
/** With another token than the tenant's own. */
export const graphAs = async (token: string, ground: Ground, query: string, variables: object) => {
  const { status, data, errors } = await ask(ground.url, query, variables, token);
  return { ok: errors === undefined, raw: JSON.stringify({ status, data, errors }), data };
};
export const mutation = (field: string, type: string, shown: string): string =>
  `mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;

export async function newTenant(ground: Ground, name: string): Promise<Tenant> {
  const subject = randomUUID();
  const tenant: Tenant = {
    ground,
    name,
    subject,
    token: await tokenFor(subject),
    // In lower case, as handles are.
    word: `word${name.toLowerCase()}${randomUUID().slice(0, 8)}`,
    agents: [],
    tasks: [],
    configs: [],
    heard: [],
    faults: [],
    stopListening: async () => undefined,
  };
  await makeAgent(tenant);
  return tenant;
}

/** Everything that a tenant can listen to, also while naming the other one in the filter. */
export function listen(tenant: Tenant, other: Tenant): void {
  const client = createClient({
    url: `${tenant.ground.url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tenant.token}` },
    lazy: false,
    retryAttempts: 0,
  });
  const task = 'taskId agentId task { id owner statusMessage { parts { text } } history { parts { text } } }';
  const since = new Date(0).toISOString();
  const subscriptions = [
    '{ agentsChanged { agentId handle agent { name description } } }',
    `{ agentsChanged(filter: { owner: "${other.subject}" }) { agentId handle agent { name } } }`,
    `{ agentsChanged(filter: { agentIds: ["${other.agents[0]}"] }) { agentId handle agent { name } } }`,
    `{ tasksChanged { ${task} } }`,
    `{ tasksChanged(filter: { owner: "${other.subject}" }) { ${task} } }`,
    `{ tasksChanged(filter: { agentId: "${tenant.ground.shared}", statusTimestampAfter: "${since}" }) { ${task} } }`,
  ];
  const reads = subscriptions.map(async (text) => {
    try {
      for await (const event of client.iterate({ query: `subscription ${text}` })) {
        tenant.heard.push(JSON.stringify(event));
        if (event.errors !== undefined) tenant.faults.push(event.errors);
      }
    } catch (thrown) {
      tenant.faults.push(thrown);
    }
  });
  tenant.stopListening = async () => {
    await client.dispose();
    await Promise.all(reads);
  };
}

export async function makeAgent(tenant: Tenant): Promise<string> {
  const { word } = tenant;
  const input = {
    name: `${word} agent`,
    description: word,
    executionType: 'ECHO',
    visibility: 'PRIVATE',
    skills: [{ key: word, name: word, tags: [word] }],
    authentication: { type: 'BEARER', token: `${word}-token` },
  };
  const made = await data(
    tenant.ground.url,
    mutation('registerAgent', 'RegisterAgentInput', 'id'),
    { input },
    tenant.token,
  );
  tenant.agents.push(made['registerAgent'].id);
  return made['registerAgent'].id;
}

export async function makeTask(tenant: Tenant, agentId: string): Promise<string> {
  const input = { agentId, text: `ask: ${tenant.word}?` };
  const made = await data(
    tenant.ground.url,
    mutation('sendMessage', 'SendMessageInput', 'task { id }'),
    { input },
    tenant.token,
  );
  const { id } = made['sendMessage'].task;
  tenant.tasks.push(id);
  return id;
}

export async function makeConfig(tenant: Tenant): Promise<{ taskId: string; id: string }> {
  const taskId = await makeTask(tenant, tenant.ground.shared);
  const id = `${tenant.word}-hook-${randomUUID()}`;
  const input = { taskId, key: id, url: `${tenant.ground.webhook}?${tenant.word}`, token: `${tenant.word}-push` };
  await data(
    tenant.ground.url,
    mutation('createPushNotificationConfig', 'CreatePushNotificationConfigInput', 'id'),
    { input },
    tenant.token,
  );
  tenant.configs.push({ taskId, id });
  return { taskId, id };
}

/** What a step came to. `ok`: it was allowed. */
export interface Seen {
  readonly ok: boolean;
  readonly raw: string;
}

/** Something that one tenant does to what the other one (or the tenant itself) owns. */
export interface Step {
  readonly name: string;
  /** Allowed whoever owns the thing, as the answer has only one's own in it. */
  readonly lists?: boolean;
  /** The answer has something of the actor's in it. */
  readonly shows?: boolean;
  run(actor: Tenant, owner: Tenant): Promise<Seen>;
}

export const graphStep = (name: string, run: Step['run'], lists = false, shows = false): Step => ({
  name: `GraphQL ${name}`,
  run,
  lists,
  shows,
});

/** A refusal counts only when nothing was done. */
export const done = (seen: Seen, happened: boolean): Seen => ({ ok: seen.ok || happened, raw: seen.raw });
