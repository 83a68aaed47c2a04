import { readFileSync } from 'node:fs';
import { isEnumType, isInputObjectType, isObjectType, isSpecifiedScalarType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { composeSupergraph } from '../../src/gateway/compose.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from '../../src/graphql/schema.ts';
import { printSchemaFiles } from '../../src/graphql/schema-files.ts';

const subgraph = buildRegistrySubgraph();

describe('the generated schema', () => {
  test.each(Object.entries(printSchemaFiles()))(
    'schema/%s is what the code says (npm run schema writes it)',
    (file, text) => {
      expect(readFileSync(new URL(`../../schema/${file}`, import.meta.url), 'utf8')).toBe(text);
    },
  );

  test('the subgraph composes', () => {
    expect(
      composeSupergraph([{ name: REGISTRY_SUBGRAPH, url: 'http://localhost/subgraph', sdl: subgraph.sdl }]).errors,
    ).toBeUndefined();
  });

  test('every field of a list of agents is read without a resolver of its own, or has one on purpose', () => {
    const agent = subgraph.schema.getType('Agent');
    if (!isObjectType(agent)) throw new Error('there is no type Agent');
    const resolved = Object.values(agent.getFields())
      .filter((field) => field.resolve !== undefined)
      .map((field) => field.name);
    expect(resolved.sort()).toEqual([
      'access',
      'deployments',
      'displayType',
      'history',
      'lastUsedAt',
      'skills',
      'sourceCard',
      'taskCategories',
      'tasks',
      'usage',
      'warnings',
    ]);
  });

  test("every type that is not GraphQL's own or an edge is described", () => {
    const bare = Object.values(subgraph.schema.getTypeMap()).filter(
      (type) =>
        !type.name.startsWith('_') &&
        !isSpecifiedScalarType(type) &&
        (isObjectType(type) || isEnumType(type)) &&
        !/Edge$|^Query$|^Mutation$|^Subscription$/.test(type.name) &&
        !isInputObjectType(type) &&
        !type.description,
    );
    expect(bare.map((type) => type.name)).toEqual([]);
  });
});
