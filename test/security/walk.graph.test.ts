import { getIntrospectionQuery } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Scope } from '../../src/auth/principal.ts';
import { ask, data, type GraphAnswer } from '../support/app.ts';
import { USER_SCOPES } from '../support/tokens.ts';
import { GRAPH_RULES } from './rules/graph.ts';
import type { GraphRule, Sight } from './rules/graph-rule.ts';
import { GUARDED_FIELDS, HARMLESS_NAMES, OBJECT_FIELDS } from './rules/object-fields.ts';
import { elsewhere, essence } from './support/answers.ts';
import { CREDENTIAL_WORD, HIDDEN_WORD, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** Every field of every object type of the schema that is served: "Type.field". */
async function fieldsServed(): Promise<string[]> {
  const { __schema: schema } = await data(world.url, getIntrospectionQuery(), {}, world.owner);
  return schema.types
    .filter(({ kind, name }: any) => kind === 'OBJECT' && !name.startsWith('__'))
    .flatMap((type: any) => type.fields.map((field: any) => `${type.name}.${field.name}`));
}

test('every field has a rule, and every rule a field', async () => {
  const ruled = [
    ...Object.keys(GRAPH_RULES),
    ...Object.entries(OBJECT_FIELDS).flatMap(([type, names]) => names.split(' ').map((name) => `${type}.${name}`)),
  ];
  expect((await fieldsServed()).sort()).toEqual(ruled.sort());
  for (const guarded of Object.keys(GUARDED_FIELDS)) expect(ruled).toContain(guarded);
});

test('no field has the name of a secret', async () => {
  const suspicious = (await fieldsServed()).filter((path) =>
    /token|secret|passw|credential|authorization|private|\.k(ey)?id$/i.test(path),
  );
  expect(suspicious.filter((path) => !(path in HARMLESS_NAMES))).toEqual([]);
});

/** Enough events that whole rounds of {@link provoke} lie between the first and the last. */
const ENOUGH = 6;

/** Asks by whatever door the operation has; of a subscription, all that comes until it is enough. */
async function asked(rule: GraphRule, field: string, variables: object, token?: string): Promise<GraphAnswer> {
  if (!field.startsWith('Subscription.')) return ask(world.url, rule.document, variables, token);
  const client = createClient({
    url: `${world.url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
  });
  const about = field === 'Subscription.taskEvents' ? 1 : ENOUGH;
  const events: unknown[] = [];
  let settled = false;
  const read = async (): Promise<void> => {
    for await (const event of client.iterate({ query: rule.document, variables: { ...variables } })) {
      if (event.errors !== undefined) throw event.errors;
      if (events.push(event.data) >= about) return;
    }
  };
  const reading = read().finally(() => {
    settled = true;
  });
  // Told of at the end, also when it fails while something is provoked.
  reading.catch(() => undefined);
  const answer = { status: 200, headers: new Headers() };
  try {
    while (!settled) await provoke(token);
    await reading;
    return { ...answer, data: events as never };
  } catch (thrown) {
    const errors = Array.isArray(thrown) ? thrown : [{ message: String(thrown), extensions: { code: 'SOCKET' } }];
    return { ...answer, data: {}, errors };
  } finally {
    await client.dispose();
  }
}

/** What is the owner's alone; then what everyone who may listen hears. */
async function provoke(token?: string): Promise<void> {
  await world.newTask(world.agents.PRIVATE);
  await world.newAgent('PRIVATE');
  await world.newAgent('PUBLIC');
  const send = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }';
  await ask(world.url, send, { input: { agentId: world.agents.PUBLIC, text: 'of their own' } }, token);
}

function check(sight: Sight, answer: GraphAnswer, field: string): void {
  const what = `${field}: ${JSON.stringify({ data: answer.data, errors: answer.errors })}`;
  if (sight !== 'own') expect(what, what).not.toContain(HIDDEN_WORD);
  if (sight === 'own' || sight === 'absent') expect(answer.errors, what).toBeUndefined();
  else if (sight === 'null') {
    expect(answer.errors, what).toBeUndefined();
    expect(answer.data, what).toEqual({ [field.split('.')[1]!]: null });
  } else expect(answer.errors?.[0]?.extensions['code'], what).toBe(sight);
}

describe.each(Object.entries(GRAPH_RULES))('%s', (field, rule) => {
  const others = (): Promise<object> => Promise.resolve(rule.variables(world, 'PRIVATE'));
  const raw = ({ data, errors, status }: GraphAnswer) => essence(JSON.stringify({ data, errors, status }));

  test('its owner may', async () => {
    const token = rule.scopes.includes('admin') ? world.admin : world.owner;
    const answer = await asked(rule, field, await others(), token);
    expect(answer.errors, JSON.stringify(answer.errors)).toBeUndefined();
    if (rule.stranger === 'absent') expect(JSON.stringify(answer.data)).toContain(HIDDEN_WORD);
    else expect(answer.data).not.toEqual({ [field.split('.')[1]!]: null });
    expect(JSON.stringify(answer)).not.toContain(CREDENTIAL_WORD);
  });

  test.each(['stranger', 'anonymous'] as const)('%s', async (who) => {
    const token = who === 'stranger' ? world.stranger : undefined;
    const variables = await others();
    const answer = await asked(rule, field, variables, token);
    check(rule[who], answer, field);
    if (!/NOT_FOUND|null|UNAUTH/.test(rule[who])) return;
    expect(raw(await asked(rule, field, elsewhere(variables), token))).toBe(raw(answer));
  });

  if (rule.strangerInternal !== undefined)
    test('a stranger, of an internal agent', async () => {
      const variables = await rule.variables(world, 'INTERNAL');
      check(rule.strangerInternal!, await asked(rule, field, variables, world.stranger), field);
    });

  test.each(USER_SCOPES)('without %s', async (scope: Scope) => {
    const answer = await asked(rule, field, await others(), world.without.get(scope));
    if (rule.scopes.includes(scope) || rule.scopes.includes('admin')) check('FORBIDDEN', answer, field);
    else expect(answer.errors, JSON.stringify(answer.errors)).toBeUndefined();
  });
});

describe.each(Object.entries(GUARDED_FIELDS))('%s', (_field, { selection, at, withheld, scopes = [] }) => {
  test('is held back from who sees the object around it', async () => {
    const id = await world.newAgent('INTERNAL');
    await world.newTask(id);
    await world.mutate('registerDeployment', 'RegisterDeploymentInput', {
      agentId: id,
      endpoint: '127.0.0.1:9',
      tls: false,
    });
    const query = `query($id: ID!) { agent(id: $id) { id ${selection} } }`;
    const valueFor = async (token: string) => at((await ask(world.url, query, { id }, token)).data['agent']);
    const shown = await valueFor(world.owner);
    expect(shown).not.toEqual(withheld);
    expect(shown).toBeTruthy();
    expect(await valueFor(world.stranger)).toEqual(withheld);
    for (const scope of scopes) expect(await valueFor(world.without.get(scope)!)).toBeNull();
  });
});

/** Values of arguments that must be given. */
const ARGUMENTS: Readonly<Record<string, string>> = { fields: '[TAG]', operation: 'UPDATE' };

/** All fields, four levels deep, with the arguments that must be there. */
async function everything(root: string): Promise<string> {
  const { __schema: schema } = await data(world.url, getIntrospectionQuery(), {}, world.owner);
  const types = new Map<string, any>(schema.types.map((type: any) => [type.name, type]));
  const named = (type: any): string => (type.ofType === null ? type.name : named(type.ofType));
  const select = (typeName: string, depth: number, seen: readonly string[]): string => {
    const fields = types.get(typeName).fields.flatMap((field: any) => {
      const of = types.get(named(field.type));
      const given = field.args
        .filter((a: any) => a.type.kind === 'NON_NULL')
        .map((a: any) => `${a.name}: ${ARGUMENTS[a.name]}`);
      const args = given.length === 0 ? '' : `(${given.join(', ')})`;
      if (of.kind !== 'OBJECT') return [`${field.name}${args}`];
      if (depth === 0 || seen.includes(of.name) || (field.name === 'nodes' && depth < 4)) return [];
      const inner = select(of.name, depth - 1, [...seen, of.name]);
      return inner === '' ? [] : [`${field.name}${args} { ${inner} }`];
    });
    return fields.join(' ');
  };
  return select(root, 4, [root]);
}

test('all that can be selected of an agent holds no credential for its owner, and nothing for a stranger', async () => {
  const query = `query($id: ID!) { agent(id: $id) { ${await everything('Agent')} } }`;
  for (const id of Object.values(world.agents)) {
    const shown = await ask(world.url, query, { id }, world.owner);
    expect(shown.errors, JSON.stringify(shown.errors)).toBeUndefined();
    expect(JSON.stringify(shown.data['agent'])).toContain('skill');
    expect(JSON.stringify(shown)).not.toContain(CREDENTIAL_WORD);
  }
  expect((await ask(world.url, query, { id: world.agents.PRIVATE }, world.stranger)).data['agent']).toBeNull();
});

test('the roots walked are all there are', () => {
  expect([...new Set(Object.keys(GRAPH_RULES).map((field) => field.split('.')[0]!))]).toEqual(ROOTS);
});
