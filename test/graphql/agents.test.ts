import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { ask, data, startTestApp } from '../support/app.ts';

let app: App;
let url: string;
beforeAll(async () => {
  app = await startTestApp();
  url = app.addresses.url;
});
afterAll(() => app?.close());

const REGISTER = `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id handle revision type displayType status visibility provider { name } skills { key name agent { handle } } } }`;
const register = async (input: Record<string, unknown>) =>
  (await data(url, REGISTER, { input: { executionType: 'API', ...input } }))['registerAgent'];

const refusal = async (query: string, variables?: unknown) => {
  const { errors } = await ask(url, query, variables);
  expect(errors, 'the request was expected to be refused').toBeDefined();
  return errors![0]!;
};

describe('agents in the graph', () => {
  test('an agent is registered with skills and an inline provider, read back, changed and deleted', async () => {
    const agent = await register({
      name: 'Invoice Reader',
      type: 'text',
      provider: { name: 'Finance', url: 'https://finance.example' },
      skills: [{ key: 'read', name: 'Read invoices', tags: ['finance'] }],
    });
    expect(agent).toMatchObject({
      handle: 'invoice-reader',
      revision: 1,
      type: 'text',
      displayType: 'llm',
      status: 'ACTIVE',
      visibility: 'INTERNAL',
      provider: { name: 'Finance' },
      skills: [{ key: 'read', agent: { handle: 'invoice-reader' } }],
    });

    const { updateAgent } = await data(
      url,
      `mutation($input: UpdateAgentInput!) { updateAgent(input: $input) { revision description provider { name } } }`,
      { input: { id: agent.id, revision: 1, description: 'Reads invoices', provider: null } },
    );
    expect(updateAgent).toEqual({ revision: 2, description: 'Reads invoices', provider: null });

    const stale = await refusal(`mutation($input: UpdateAgentInput!) { updateAgent(input: $input) { id } }`, {
      input: { id: agent.id, revision: 1, name: 'Late' },
    });
    expect(stale.extensions).toMatchObject({ code: 'STALE_REVISION', field: 'input.revision', revision: 2 });

    const { agent: read } = await data(
      url,
      `query($id: ID!) { agent(id: $id) { history { nodes { action revision actor changes { field before after } } } } }`,
      { id: agent.id },
    );
    expect(read.history.nodes.map((c: { action: string }) => c.action)).toEqual(['UPDATED', 'REGISTERED']);
    expect(read.history.nodes[0].changes).toContainEqual({ field: 'description', before: '', after: 'Reads invoices' });

    await data(url, `mutation($id: ID!) { deleteAgent(input: { id: $id }) { id } }`, { id: agent.id });
    expect(await data(url, `query($id: ID!) { agent(id: $id) { id } }`, { id: agent.id })).toEqual({ agent: null });
  });

  test('skills and providers are created, changed and removed; a provider with agents is not deleted', async () => {
    const { registerProvider } = await data(
      url,
      `mutation { registerProvider(input: { name: "Logistics" }) { id revision } }`,
    );
    const agent = await register({ name: 'Route Planner', providerId: registerProvider.id });
    const { addSkill } = await data(
      url,
      `mutation($input: AddSkillInput!) { addSkill(input: $input) { id key agent { revision } } }`,
      { input: { agentId: agent.id, skill: { key: 'plan', name: 'Plan' } } },
    );
    expect(addSkill).toMatchObject({ key: 'plan', agent: { revision: 2 } });
    const twice = await refusal(`mutation($input: AddSkillInput!) { addSkill(input: $input) { id } }`, {
      input: { agentId: agent.id, skill: { key: 'plan', name: 'Plan again' } },
    });
    expect(twice.extensions).toMatchObject({ code: 'ALREADY_EXISTS', field: 'input.key' });
    const { updateSkill } = await data(
      url,
      `mutation($input: UpdateSkillInput!) { updateSkill(input: $input) { name tags } }`,
      { input: { id: addSkill.id, name: 'Plan routes', tags: ['maps'] } },
    );
    expect(updateSkill).toEqual({ name: 'Plan routes', tags: ['maps'] });

    const kept = await refusal(`mutation($id: ID!) { deleteProvider(input: { id: $id }) { id } }`, {
      id: registerProvider.id,
    });
    expect(kept.extensions).toMatchObject({ code: 'FAILED_PRECONDITION', agents: 1 });

    await data(url, `mutation($id: ID!) { removeSkill(input: { id: $id }) { key } }`, { id: addSkill.id });
    await data(url, `mutation($id: ID!) { deleteAgent(input: { id: $id }) { id } }`, { id: agent.id });
    expect(
      await data(url, `mutation($id: ID!) { deleteProvider(input: { id: $id }) { name } }`, {
        id: registerProvider.id,
      }),
    ).toEqual({ deleteProvider: { name: 'Logistics' } });
  });

  test('a list is searched, filtered, counted and paged', async () => {
    for (const n of [1, 2, 3])
      await register({
        name: `Zebra ${n}`,
        capabilities: ['stripes'],
        skills: [{ key: 'gallop', name: 'Gallop', tags: [n === 1 ? 'slow' : 'fast'] }],
      });
    const { agents } = await data(
      url,
      `{ agents(search: "zeb gallop", filter: { tag: "fast" }) { nodes { name } totalCount { value exact display } facets(fields: [TAG, CAPABILITY]) { field values { value count { value } } } } }`,
    );
    expect(agents.nodes.map((a: { name: string }) => a.name).sort()).toEqual(['Zebra 2', 'Zebra 3']);
    expect(agents.totalCount).toEqual({ value: 2, exact: true, display: '2' });
    expect(agents.facets).toContainEqual({ field: 'CAPABILITY', values: [{ value: 'stripes', count: { value: 2 } }] });

    const names: string[] = [];
    let after: string | null = null;
    do {
      const page: any = (
        await data(
          url,
          `query($after: String) { agents(filter: { capability: "stripes" }, orderBy: { field: NAME, direction: DESC }, first: 1, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }`,
          { after },
        )
      )['agents'];
      names.push(...page.nodes.map((a: { name: string }) => a.name));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(names).toEqual(['Zebra 3', 'Zebra 2', 'Zebra 1']);
  });

  test.each([
    ['an unknown field', '{ agents { nodes { nope } } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a page that is too large', '{ agents(first: 201) { nodes { id } } }', {}, 'INVALID_INPUT'],
    ['a cursor that is none', '{ agents(after: "x") { nodes { id } } }', {}, 'INVALID_INPUT'],
    ['neither id nor handle', '{ agent { id } }', {}, 'INVALID_INPUT'],
    ['relevance without a search', '{ agents(orderBy: { field: RELEVANCE }) { nodes { id } } }', {}, 'INVALID_INPUT'],
    ['a bad url', REGISTER, { input: { name: 'X', executionType: 'API', url: 'ftp://x' } }, 'INVALID_INPUT'],
    [
      'a duplicate skill key',
      REGISTER,
      {
        input: {
          name: 'X',
          executionType: 'API',
          skills: [
            { key: 'a', name: 'A' },
            { key: 'a', name: 'B' },
          ],
        },
      },
      'INVALID_INPUT',
    ],
    ['an over-long name', REGISTER, { input: { name: 'x'.repeat(201), executionType: 'API' } }, 'INVALID_INPUT'],
    ['a wrong enum', REGISTER, { input: { name: 'X', executionType: 'NOPE' } }, 'BAD_USER_INPUT'],
    [
      'an agent that is not there',
      'mutation { deleteAgent(input: { id: "01890000-0000-7000-8000-000000000000" }) { id } }',
      {},
      'NOT_FOUND',
    ],
    [
      'an address that may not be reached',
      REGISTER,
      { input: { name: 'X', executionType: 'API', url: 'http://169.254.169.254/' } },
      'EGRESS_DENIED',
    ],
  ])('%s is refused with a code', async (_what, query, variables, code) => {
    expect((await refusal(query, variables)).extensions['code']).toBe(code);
  });

  test('a wrong field of a nested input is named by its path', async () => {
    const error = await refusal(REGISTER, {
      input: {
        name: 'X',
        executionType: 'API',
        skills: [
          { key: 'a', name: 'A' },
          { key: 'b', name: 'B', tags: ['x'.repeat(101)] },
        ],
      },
    });
    expect(error.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'input.skills[1].tags[0]' });
  });

  test('credentials go in and never come out', async () => {
    const agent = await register({
      name: 'Guarded',
      url: 'http://127.0.0.1:9/',
      authentication: { type: 'BEARER', token: 'planted-secret-4711' },
    });
    const query = `query($id: ID!) { agent(id: $id) { authenticationType hasCredentials history { nodes { changes { field before after } } } } }`;
    const read = await data(url, query, { id: agent.id });
    expect(read['agent']).toMatchObject({ authenticationType: 'BEARER', hasCredentials: true });
    await data(
      url,
      `mutation($id: ID!) { updateAgent(input: { id: $id, authentication: { type: BASIC, username: "u", password: "planted-secret-4712" } }) { id } }`,
      { id: agent.id },
    );
    expect(JSON.stringify(await data(url, query, { id: agent.id }))).not.toContain('planted-secret');
    // Another origin could be somebody else's.
    const moved = await data(
      url,
      `mutation($id: ID!) { updateAgent(input: { id: $id, url: "http://127.0.0.1:10/" }) { hasCredentials } }`,
      { id: agent.id },
    );
    expect(moved['updateAgent'].hasCredentials).toBe(false);
  });
});
