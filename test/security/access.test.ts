import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { SCOPES, type Scope } from '../../src/auth/principal.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { JWT_SETTINGS, tokenFor, USER_SCOPES } from '../support/tokens.ts';

const OWNER = '11111111-1111-4111-8111-111111111111';
const STRANGER = '22222222-2222-4222-8222-222222222222';
const ADMIN = '33333333-3333-4333-8333-333333333333';

const QUERY = `query($id: ID!) { agent(id: $id) {
  READ: access(operation: READ) { allowed code reason } UPDATE: access(operation: UPDATE) { allowed code reason }
  DELETE: access(operation: DELETE) { allowed code reason } SEE_ENDPOINTS: access(operation: SEE_ENDPOINTS) { allowed code reason }
  SEND: access(operation: SEND) { allowed code reason } READ_TASKS: access(operation: READ_TASKS) { allowed code reason } } }`;
const UPDATE = 'mutation($id: ID!, $text: String!) { updateAgent(input: { id: $id, description: $text }) { id } }';
const SEND = 'mutation($id: ID!) { sendMessage(input: { agentId: $id, text: "hi" }) { __typename } }';
const TASKS = '{ tasks(first: 1) { nodes { id } } }';

let app: App;
let url: string;
let id: string;
const tokens = new Map<string, string | undefined>();

beforeAll(async () => {
  app = await startTestApp(JWT_SETTINGS);
  url = app.addresses.url;
  const add = async (name: string, subject: string, scopes: readonly Scope[]) =>
    tokens.set(name, await tokenFor(subject, scopes));
  await add('owner', OWNER, USER_SCOPES);
  await add('stranger', STRANGER, USER_SCOPES);
  await add('admin', ADMIN, SCOPES);
  await add('reader', OWNER, ['registry:read']);
  await add('sender', STRANGER, ['registry:read', 'tasks:send']);
  tokens.set('nobody', undefined);
  const register =
    'mutation { registerAgent(input: { name: "Open", executionType: ECHO, visibility: PUBLIC }) { id } }';
  id = (await data(url, register, {}, tokens.get('owner')))['registerAgent'].id;
});
afterAll(() => app?.close());

const codeOf = async (query: string, token: string | undefined, variables: object = { id }) =>
  (await ask(url, query, variables, token)).errors?.[0]?.extensions['code'] ?? null;

describe('Agent.access', () => {
  test.each(['owner', 'stranger', 'admin', 'reader', 'sender', 'nobody'])(
    'tells %s what the operation itself then answers',
    async (name) => {
      const token = tokens.get(name);
      const { agent } = await data(url, QUERY, { id }, token);
      const told = (operation: string) => agent[operation].code;
      expect(told('READ')).toBe(null);
      expect(told('UPDATE')).toBe(await codeOf(UPDATE, token, { id, text: `by ${name}` }));
      expect(told('SEND')).toBe(await codeOf(SEND, token));
      expect(told('READ_TASKS')).toBe(await codeOf(TASKS, token));
      for (const { allowed, code, reason } of Object.values<any>(agent)) {
        expect(allowed).toBe(code === null);
        expect(reason === null).toBe(allowed);
      }
      // Last: for who may, the agent is gone afterwards. It is made again under another id for the next one.
      const remove = 'mutation($id: ID!) { deleteAgent(input: { id: $id }) { id } }';
      expect(told('DELETE')).toBe(await codeOf(remove, token));
      if (told('DELETE') === null) {
        const again =
          'mutation { registerAgent(input: { name: "Open", executionType: ECHO, visibility: PUBLIC }) { id } }';
        id = (await data(url, again, {}, tokens.get('owner')))['registerAgent'].id;
      }
    },
  );

  test('says why not, in words', async () => {
    const { agent } = await data(url, QUERY, { id }, tokens.get('sender'));
    expect(agent.UPDATE).toEqual({
      allowed: false,
      code: 'FORBIDDEN',
      reason: 'This needs the scope registry:write, which your token does not have.',
    });
    const stranger = (await data(url, QUERY, { id }, tokens.get('stranger')))['agent'];
    expect(stranger.DELETE.reason).toContain('Only the owner of agent open');
    expect(stranger.SEE_ENDPOINTS.allowed).toBe(false);
  });

  test('knows the state of the agent', async () => {
    const set =
      'mutation($id: ID!, $status: AgentStatus!) { setAgentStatus(input: { id: $id, status: $status }) { id } }';
    await data(url, set, { id, status: 'INACTIVE' }, tokens.get('owner'));
    const { agent } = await data(url, QUERY, { id }, tokens.get('owner'));
    expect(agent.SEND).toMatchObject({ allowed: false, code: 'AGENT_INACTIVE' });
    expect(await codeOf(SEND, tokens.get('owner'))).toBe('AGENT_INACTIVE');
    expect(agent.UPDATE.allowed).toBe(true);
    await data(url, set, { id, status: 'ACTIVE' }, tokens.get('owner'));
  });

  test('asking is no denied attempt', async () => {
    await data(url, QUERY, { id }, tokens.get('sender'));
    const log = '{ auditLog(filter: { outcome: DENIED }, first: 200) { nodes { operation targetId count } } }';
    const before = (await data(url, log, {}, tokens.get('admin')))['auditLog'].nodes;
    await data(url, QUERY, { id }, tokens.get('sender'));
    expect((await data(url, log, {}, tokens.get('admin')))['auditLog'].nodes).toEqual(before);
  });
});
