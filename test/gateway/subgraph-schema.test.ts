import { buildSchema, type ExecutionResult, execute, graphql, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { ExecRequest } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { createSubgraph, type ReferenceResolver } from '../../src/gateway/subgraph-schema.ts';
import { CATALOG } from './support/subgraphs.ts';

const SDL = /* GraphQL */ `
  directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
  type Query { hello: String }
  interface Thing @key(fields: "id") { id: ID! label: String }
  type Agent implements Thing @key(fields: "id") @key(fields: "handle") { id: ID! handle: String label: String }
  type Stub @key(fields: "id", resolvable: false) { id: ID! }
  type Extended @key(fields: "id") { id: ID! }
`;

type References = Record<string, ReferenceResolver<unknown>>;

const build = (references: References = {}) => createSubgraph(buildSchema(SDL), { references });

const QUERY = `query($representations: [_Any!]!) {
  _entities(representations: $representations) { __typename ... on Agent { id handle label } ... on Extended { id } }
}`;

/** Through both engines that may run a subgraph in-process. */
async function entities(references: References, representations: unknown[]): Promise<ExecutionResult> {
  const { schema } = build(references);
  const document = parse(QUERY);
  const request: ExecRequest = {
    document,
    variables: { representations },
    operationType: 'query',
    context: { headers: {}, principalKey: 'a' },
  };
  const compiled = (await localExecutor(schema).execute(request)) as ExecutionResult;
  const interpreted = await execute({ schema, document, variableValues: { representations } });
  expect(JSON.parse(JSON.stringify(compiled.data))).toEqual(JSON.parse(JSON.stringify(interpreted.data)));
  expect(compiled.errors?.map(({ path }) => path)).toEqual(interpreted.errors?.map(({ path }) => path));
  return compiled;
}

describe('a subgraph made of a schema', () => {
  it('tells its SDL with the directives it uses linked, and without the machinery', async () => {
    const { schema, sdl } = build();
    const answer = await graphql({ schema, source: '{ _service { sdl } }' });
    expect(answer.data).toEqual({ _service: { sdl } });
    expect(sdl).toContain('@link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])');
    expect(sdl).toContain('type Agent implements Thing @key(fields: "id") @key(fields: "handle")');
    expect(sdl).not.toMatch(/_service|_entities|_Any|directive @key|directive @skip/);
  });

  it('links every federation directive that the schema uses', () => {
    const { sdl } = createSubgraph(buildSchema(CATALOG, { assumeValidSDL: true }), { references: {} });
    expect(sdl).toContain('import: ["@inaccessible", "@key", "@shareable"]');
  });

  it('declares root types of other names', () => {
    const schema = buildSchema('schema { query: Root } type Root { a: Int }');
    expect(createSubgraph(schema, { references: {} }).sdl).toMatch(/^schema @link\(.*\) \{\n {2}query: Root\n\}/);
  });

  it('resolves references by any of their keys, and without a resolver to themselves', async () => {
    const Agent: ReferenceResolver<unknown> = ({ id, handle }) =>
      id === undefined ? { id: 'by-handle', handle } : Promise.resolve({ id, handle: 'by-id' });
    const { data, errors } = await entities({ Agent }, [
      { __typename: 'Agent', id: '1' },
      { __typename: 'Agent', handle: 'x' },
      { __typename: 'Extended', id: '3' },
    ]);
    expect(errors).toBeUndefined();
    expect(data?._entities).toEqual([
      { __typename: 'Agent', id: '1', handle: 'by-id', label: null },
      { __typename: 'Agent', id: 'by-handle', handle: 'x', label: null },
      { __typename: 'Extended', id: '3' },
    ]);
  });

  it('starts all references of a request before it waits for any', async () => {
    const asked: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const Agent: ReferenceResolver<unknown> = ({ id }) => {
      asked.push(id);
      if (asked.length % 3 === 0) resolve();
      return promise.then(() => Object.freeze({ id }));
    };
    const { data } = await entities(
      { Agent },
      ['1', '2', '3'].map((id) => ({ __typename: 'Agent', id })),
    );
    expect(data?._entities).toHaveLength(3);
    expect(asked.slice(0, 3)).toEqual(['1', '2', '3']);
  });

  it('answers null and an error for one that fails, and leaves its neighbours alone', async () => {
    const Agent: ReferenceResolver<unknown> = ({ id }) => {
      if (id === 'throws') throw new Error('thrown');
      if (id === 'rejects') return Promise.reject(new Error('rejected'));
      return id === 'absent' ? null : { id };
    };
    const ids = ['ok', 'throws', 'rejects', 'absent', 'fine'];
    const { data, errors } = await entities(
      { Agent },
      ids.map((id) => ({ __typename: 'Agent', id })),
    );
    const found = (data?._entities ?? []) as ({ id: string } | null)[];
    expect(found.map((entity) => entity?.id ?? null)).toEqual(['ok', null, null, null, 'fine']);
    expect(errors?.map(({ message, path }) => [message, path])).toEqual([
      ['thrown', ['_entities', 1]],
      ['rejected', ['_entities', 2]],
    ]);
  });

  it.each([
    ['a type that does not exist', { __typename: 'Nothing', id: '1' }, '"Nothing" is not an entity of this subgraph.'],
    ['a type that is no entity', { __typename: 'Query' }, '"Query" is not an entity of this subgraph.'],
    ['a type without a resolvable key', { __typename: 'Stub', id: '1' }, '"Stub" is not an entity of this subgraph.'],
    ['no type', { id: '1' }, 'A representation must be an object with a __typename.'],
    ['no object', 'text', 'A representation must be an object with a __typename.'],
  ])('says clearly what is wrong with a representation of %s', async (_, representation, message) => {
    const { data, errors } = await entities({}, [representation, { __typename: 'Extended', id: '2' }]);
    expect(data?._entities).toEqual([null, { __typename: 'Extended', id: '2' }]);
    expect(errors?.map((error) => [error.message, error.path])).toEqual([[message, ['_entities', 0]]]);
  });

  it('finds the concrete type behind an entity interface', async () => {
    const Thing: ReferenceResolver<unknown> = ({ id }) => ({ __typename: 'Agent', id, label: 'found' });
    const { data } = await entities({ Thing }, [{ __typename: 'Thing', id: '1' }]);
    expect(data?._entities).toEqual([{ __typename: 'Agent', id: '1', handle: null, label: 'found' }]);
  });
});
