import {
  buildClientSchema,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
  isRequiredArgument,
  parse,
  print,
  visit,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Scope } from '../../src/auth/principal.ts';
import { FIELD_SCOPES } from '../../src/graphql/answer-scopes.ts';
import { buildRegistrySubgraph } from '../../src/graphql/schema.ts';
import { ask, data } from '../support/app.ts';
import { tokenFor } from '../support/tokens.ts';
import { GRAPH_RULES } from './rules/graph.ts';
import { OWNER, startWorld, type World } from './support/world.ts';

/**
 * What a mutation answers to who may write and not read: what it made or changed, all of it; and of anything else it is
 * asked for, a refusal before it does anything.
 */

let world: World;
let writer: string;
let schema: GraphQLSchema;
beforeAll(async () => {
  world = await startWorld();
  writer = await tokenFor(OWNER, ['registry:write', 'tasks:send']);
  schema = buildClientSchema((await data(world.url, getIntrospectionQuery(), {}, world.owner)) as never);
});
afterAll(() => world?.close());

const DEPTH = 4;
const objectOf = (type: unknown): GraphQLObjectType | undefined => {
  const named = getNamedType(type as never);
  return isObjectType(named) ? named : undefined;
};
const withoutArguments = (type: GraphQLObjectType) =>
  Object.values(type.getFields()).filter(({ args }) => !args.some(isRequiredArgument));

/** Everything below a type that needs no scope of its own. */
function open(type: GraphQLObjectType, depth = DEPTH, above: readonly string[] = []): string {
  return withoutArguments(type)
    .filter(({ name }) => !(`${type.name}.${name}` in FIELD_SCOPES))
    .flatMap((field) => {
      const of = objectOf(field.type);
      if (of === undefined) return [field.name];
      if (depth === 0 || above.includes(of.name)) return [];
      const inner = open(of, depth - 1, [...above, of.name]);
      return inner === '' ? [] : [`${field.name} { ${inner} }`];
    })
    .join(' ');
}

interface Guarded {
  readonly path: string;
  readonly scope: Scope;
  readonly selection: string;
}

/** The fields below a type that need one, each with the selection that leads there. */
function guarded(type: GraphQLObjectType, depth = DEPTH, above: readonly string[] = []): Guarded[] {
  return withoutArguments(type).flatMap((field) => {
    const of = objectOf(field.type);
    const path = `${type.name}.${field.name}`;
    const scope = FIELD_SCOPES[path];
    if (scope !== undefined) return [{ path, scope, selection: `${field.name} { __typename }` }];
    if (of === undefined || depth === 0 || above.includes(of.name)) return [];
    return guarded(of, depth - 1, [...above, of.name]).map((found) => ({
      ...found,
      selection: `${field.name} { ${found.selection} }`,
    }));
  });
}

/** The document of a rule, with another selection of its answer. */
function selecting(document: string, selection: string): string {
  const { definitions } = parse(`{ it { ${selection} } }`);
  const wanted = (definitions[0] as any).selectionSet.selections[0].selectionSet;
  let depth = 0;
  return print(
    visit(parse(document), {
      Field: {
        enter: (node) => (depth++ === 0 ? { ...node, selectionSet: wanted } : undefined),
        leave: () => void depth--,
      },
    }),
  );
}

/** All that the owner's mutations change. */
async function everythingThere(): Promise<string> {
  const seen: unknown[] = [];
  let after: string | null = null;
  do {
    const page: any = await data(
      world.url,
      'query($after: String) { exportRecords(first: 200, after: $after) { records next } }',
      { after },
      world.owner,
    );
    seen.push(page.exportRecords.records);
    after = page.exportRecords.next;
  } while (after !== null);
  const tasks = '{ tasks(first: 200) { nodes { id state lastSequence pushNotificationConfigs { key } } } }';
  seen.push((await data(world.url, tasks, {}, world.owner))['tasks'].nodes);
  return JSON.stringify(seen);
}

/** These look, and change nothing. */
const LOOKS: readonly string[] = ['previewCard', 'refreshAgent'];

const mutations = Object.values(buildRegistrySubgraph().schema.getMutationType()!.getFields()).map(
  ({ name, type }) => ({
    name,
    rule: GRAPH_RULES[`Mutation.${name}`]!,
    type: objectOf(type)!,
  }),
);

test('every field with a scope of its own is below some mutation', () => {
  const reached = mutations.flatMap(({ type }) => guarded(type).map(({ path }) => path));
  expect([...new Set(reached)].sort()).toEqual(Object.keys(FIELD_SCOPES).sort());
});

describe.each(mutations.filter(({ rule }) => !rule.scopes.includes('admin')))('$name', ({ name, rule, type }) => {
  test('answers all of what it did to who may not read', async () => {
    const document = selecting(rule.document, open(objectOf(schema.getMutationType()!.getFields()[name]!.type)!));
    const answer = await ask(world.url, document, await rule.variables(world, 'PRIVATE'), writer);
    expect(answer.errors, JSON.stringify(answer.errors)).toBeUndefined();
    expect(answer.data[name]).toBeTruthy();
  });

  const below = guarded(type);
  if (below.length === 0) return;
  test.each(below)('$path below it ($selection) is refused before it does anything', async ({ scope, selection }) => {
    const document = selecting(rule.document, selection);
    const variables = await rule.variables(world, 'PRIVATE');
    const before = await everythingThere();
    const refused = await ask(world.url, document, variables, world.without.get(scope));
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', scope });
    expect(await everythingThere()).toBe(before);
    const allowed = await ask(world.url, document, variables, world.owner);
    expect(allowed.errors, JSON.stringify(allowed.errors)).toBeUndefined();
    if (!LOOKS.includes(name)) expect(await everythingThere()).not.toBe(before);
  });
});

test('only what is selected counts: through fragments, and not where it is skipped', async () => {
  const document = `mutation($input: AddSkillInput!, $more: Boolean!) {
    addSkill(input: $input) { id ...Where @include(if: $more) ... on Skill @skip(if: true) { agent { id } } }
  } fragment Where on Skill { key ... { owner: agent { id } } }`;
  const asked = async (more: boolean) => {
    const { input } = (await GRAPH_RULES['Mutation.addSkill']!.variables(world, 'PRIVATE')) as { input: object };
    return ask(world.url, document, { input, more }, writer);
  };
  expect((await asked(true)).errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', scope: 'registry:read' });
  expect((await asked(false)).data['addSkill']).toEqual({ id: expect.any(String) });
});
