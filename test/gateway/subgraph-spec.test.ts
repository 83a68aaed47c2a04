import { Trace } from '@apollo/usage-reporting-protobuf';
import { type DirectiveNode, type DocumentNode, Kind, parse, visit } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { newId } from '../../src/database/ids.ts';
import { buildRegistrySubgraph } from '../../src/graphql/schema.ts';
import { data, type GraphAnswer, startTestApp } from '../support/app.ts';
import { startTeamSubgraph } from '../support/team-subgraph.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';

/** What the Apollo Federation subgraph specification asks of /subgraph, asked as a router would: over HTTP. */

let app: App;
let token: string;
const ids = { agent: '', provider: '', skill: '', task: '' };

interface SubgraphAnswer extends GraphAnswer {
  readonly extensions?: { readonly ftv1?: string };
}

async function ask(
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  path = 'subgraph',
): Promise<SubgraphAnswer> {
  const response = await fetch(new URL(path, app.addresses.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as SubgraphAnswer;
  return { ...answer, status: response.status, headers: response.headers };
}

const ENTITIES = `query($of: [_Any!]!) { _entities(representations: $of) { __typename
  ... on Agent { id handle name } ... on Provider { id name } ... on Skill { id key } ... on Task { id state }
} }`;

beforeAll(async () => {
  app = await startTestApp(JWT_SETTINGS);
  token = await tokenFor(newId());
  const { registerAgent } = await data(
    app.addresses.url,
    `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id provider { id } skills { id } } }`,
    {
      input: {
        name: 'Mine',
        executionType: 'ECHO',
        visibility: 'PRIVATE',
        provider: { name: 'Us' },
        skills: [{ key: 'say', name: 'Say' }],
      },
    },
    token,
  );
  const { sendMessage } = await data(
    app.addresses.url,
    `mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }`,
    { input: { agentId: registerAgent.id, text: 'hello' } },
    token,
  );
  ids.agent = registerAgent.id;
  ids.provider = registerAgent.provider.id;
  ids.skill = registerAgent.skills[0].id;
  ids.task = sendMessage.task.id;
});
afterAll(() => app?.close());

const importsOf = (link: DirectiveNode): string[] => {
  const value = link.arguments?.find(({ name }) => name.value === 'import')?.value;
  return value?.kind === Kind.LIST
    ? value.values.flatMap((item) => (item.kind === Kind.STRING ? [item.value] : []))
    : [];
};

/** The federation link of an SDL. */
function federationLink(document: DocumentNode): { version: number[]; imports: string[] } {
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_EXTENSION && definition.kind !== Kind.SCHEMA_DEFINITION) continue;
    for (const link of definition.directives ?? []) {
      const url = link.arguments?.find(({ name }) => name.value === 'url')?.value;
      const found =
        url?.kind === Kind.STRING && /^https:\/\/specs\.apollo\.dev\/federation\/v(\d+)\.(\d+)$/.exec(url.value);
      if (found) return { version: [Number(found[1]), Number(found[2])], imports: importsOf(link) };
    }
  }
  throw new Error('the SDL links no federation');
}

const directivesIn = (document: DocumentNode): Set<string> => {
  const names = new Set<string>();
  visit(document, { Directive: ({ name }) => void names.add(name.value) });
  return names;
};

describe('_service { sdl }', () => {
  let sdl: string;
  let document: DocumentNode;
  beforeAll(async () => {
    const { data, errors } = await ask('{ _service { sdl } }');
    expect(errors).toBeUndefined();
    sdl = data['_service'].sdl;
    document = parse(sdl);
  });

  test('is the registry’s schema, and needs no token', async () => {
    expect(sdl).toBe(buildRegistrySubgraph().sdl);
    const response = await fetch(new URL('subgraph?query={_service{sdl}}', app.addresses.url));
    expect(((await response.json()) as GraphAnswer).data['_service'].sdl).toBe(sdl);
  });

  test('links federation between 2.3 and 2.7, and imports every directive of it that it uses', () => {
    const { version, imports } = federationLink(document);
    expect(version[0]).toBe(2);
    expect(version[1]).toBeGreaterThanOrEqual(3);
    expect(version[1]).toBeLessThanOrEqual(7);
    const defined = document.definitions.flatMap((d) => (d.kind === Kind.DIRECTIVE_DEFINITION ? [d.name.value] : []));
    const used = [...directivesIn(document)].filter(
      (name) => !defined.includes(name) && !['link', 'deprecated', 'specifiedBy', 'oneOf'].includes(name),
    );
    expect(used.toSorted().map((name) => `@${name}`)).toEqual(imports.toSorted());
  });

  test('has neither prefixes nor the machinery: routers add what they need', () => {
    expect(sdl).not.toMatch(/federation__|link__/);
    expect(sdl).not.toMatch(/_Any\b|_Entity\b|_Service\b|_entities\b|_service\b/);
    expect(sdl).not.toMatch(/directive @(key|shareable|link|tag|inaccessible|external|requires|provides)\b/);
  });

  test('has @tag and @inaccessible as they are, without a prefix', async () => {
    const team = await startTeamSubgraph({
      sdl: `
        directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
        directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
        type Query { open(of: Int @tag(name: "internal")): Int @tag(name: "public") hidden: Hidden @inaccessible }
        type Hidden @inaccessible { id: ID! @tag(name: "a") @tag(name: "b") }
        enum Size { SMALL LARGE @inaccessible }
      `,
    });
    try {
      const response = await fetch(team.url, {
        method: 'POST',
        body: JSON.stringify({ query: '{ _service { sdl } }' }),
      });
      const text = ((await response.json()) as GraphAnswer).data['_service'].sdl as string;
      const parsed = parse(text);
      expect(directivesIn(parsed)).toEqual(new Set(['link', 'tag', 'inaccessible']));
      expect(federationLink(parsed).imports).toEqual(['@inaccessible', '@tag']);
      expect(text).toContain('open(of: Int @tag(name: "internal")): Int @tag(name: "public")');
      expect(text).toContain('type Hidden @inaccessible');
      expect(text).toContain('id: ID! @tag(name: "a") @tag(name: "b")');
      expect(text).toContain('LARGE @inaccessible');
    } finally {
      await team.close();
    }
  });
});

describe('_entities', () => {
  test('is declared as the specification has it; its union holds the types with a key, and no other', async () => {
    const { data, errors } = await ask(`{
      any: __type(name: "_Any") { kind }
      service: __type(name: "_Service") { kind fields { name type { ...Ref } } }
      entity: __type(name: "_Entity") { kind possibleTypes { name } }
      query: __type(name: "Query") { fields { name args { name type { ...Ref } } type { ...Ref } } }
    }
    fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`);
    expect(errors).toBeUndefined();
    const written = (type: any): string =>
      type.kind === 'NON_NULL'
        ? `${written(type.ofType)}!`
        : type.kind === 'LIST'
          ? `[${written(type.ofType)}]`
          : type.name;
    expect(data['any'].kind).toBe('SCALAR');
    expect(data['service'].kind).toBe('OBJECT');
    expect(data['service'].fields.map(({ name, type }: any) => [name, written(type)])).toEqual([['sdl', 'String']]);
    const fields = new Map<string, any>(data['query'].fields.map((field: any) => [field.name, field]));
    expect(written(fields.get('_service').type)).toBe('_Service!');
    const { args, type } = fields.get('_entities');
    expect(written(type)).toBe('[_Entity]!');
    expect(args.map((arg: any) => [arg.name, written(arg.type)])).toEqual([['representations', '[_Any!]!']]);
    const sdl = parse((await ask('{ _service { sdl } }')).data['_service'].sdl);
    const keyed = sdl.definitions.flatMap((d) =>
      d.kind === Kind.OBJECT_TYPE_DEFINITION && d.directives?.some(({ name }) => name.value === 'key')
        ? [d.name.value]
        : [],
    );
    expect(data['entity'].possibleTypes.map(({ name }: any) => name).toSorted()).toEqual(keyed.toSorted());
    expect(keyed.toSorted()).toEqual(['Agent', 'Provider', 'Skill', 'Task']);
  });

  test('resolves every entity by each of its keys, in one request, in order', async () => {
    const representations = [
      { __typename: 'Task', id: ids.task },
      { __typename: 'Agent', handle: 'mine' },
      { __typename: 'Skill', id: ids.skill },
      { __typename: 'Agent', id: ids.agent },
      { __typename: 'Provider', id: ids.provider },
      { __typename: 'Agent', id: ids.agent, handle: 'mine' },
      { __typename: 'Agent', handle: 'echo' },
    ];
    const { data, errors } = await ask(ENTITIES, { of: representations });
    expect(errors).toBeUndefined();
    const mine = { __typename: 'Agent', id: ids.agent, handle: 'mine', name: 'Mine' };
    expect(data['_entities']).toEqual([
      { __typename: 'Task', id: ids.task, state: 'COMPLETED' },
      mine,
      { __typename: 'Skill', id: ids.skill, key: 'say' },
      mine,
      { __typename: 'Provider', id: ids.provider, name: 'Us' },
      mine,
      { __typename: 'Agent', id: expect.any(String), handle: 'echo', name: 'Echo' },
    ]);
  });

  test('takes representations that are written into the query', async () => {
    const { data, errors } = await ask(
      '{ _entities(representations: [{ __typename: "Agent", handle: "echo" }]) { ... on Agent { name } } }',
    );
    expect(errors).toBeUndefined();
    expect(data['_entities']).toEqual([{ name: 'Echo' }]);
  });

  test('answers null for what is not there, and an error at its place for what is no entity', async () => {
    const { data, errors } = await ask(ENTITIES, {
      of: [
        { __typename: 'Agent', id: newId() },
        { __typename: 'PageInfo' },
        { __typename: 'Agent', handle: 'echo' },
        { __typename: 'Nothing', id: '1' },
      ],
    });
    expect(data['_entities'].map((entity: any) => entity?.handle ?? null)).toEqual([null, null, 'echo', null]);
    expect(errors?.map(({ path, extensions }) => [path, extensions['code']])).toEqual([
      [['_entities', 1], 'INVALID_INPUT'],
      [['_entities', 3], 'INVALID_INPUT'],
    ]);
  });

  test('shows a caller what that caller may see, and nobody else', async () => {
    const of = [
      { __typename: 'Agent', id: ids.agent },
      { __typename: 'Task', id: ids.task },
    ];
    const stranger = await ask(ENTITIES, { of }, { authorization: `Bearer ${await tokenFor(newId())}` });
    expect(stranger.data['_entities']).toEqual([null, null]);
  });
});

describe('ftv1', () => {
  const INCLUDE = { 'apollo-federation-include-trace': 'ftv1' };
  const QUERY = `query Of($of: [_Any!]!) { first: agents(first: 1) { nodes { handle } } ${ENTITIES.slice(ENTITIES.indexOf('_entities'), -2)} }`;
  const variables = {
    of: [
      { __typename: 'Agent', handle: 'echo' },
      { __typename: 'Nothing', id: '1' },
    ],
  };
  const traceOf = (answer: SubgraphAnswer): Trace => Trace.decode(Buffer.from(answer.extensions!.ftv1!, 'base64'));

  test('is the trace of every field, with its type, its time, and the errors at their places', async () => {
    const trace = traceOf(await ask(QUERY, variables, INCLUDE));
    expect(Number(trace.durationNs)).toBeGreaterThan(0);
    expect(Number(trace.startTime!.seconds)).toBeGreaterThan(1_600_000_000);
    const child = (node: Trace.INode, key: string | number): Trace.INode => {
      const found = node.child?.find((each) =>
        typeof key === 'string' ? each.responseName === key : !each.responseName && (each.index ?? 0) === key,
      );
      if (found === undefined) throw new Error(`no ${key} in ${JSON.stringify(node)}`);
      return found;
    };
    const first = child(trace.root!, 'first');
    expect(first).toMatchObject({ originalFieldName: 'agents', parentType: 'Query', type: 'AgentConnection!' });
    expect(Number(first.endTime)).toBeGreaterThanOrEqual(Number(first.startTime));
    expect(Number(first.endTime)).toBeLessThanOrEqual(Number(trace.durationNs));
    const handle = child(child(child(first, 'nodes'), 0), 'handle');
    expect(handle).toMatchObject({ parentType: 'Agent', type: 'String!' });
    const entities = child(trace.root!, '_entities');
    expect(entities.type).toBe('[_Entity]!');
    expect(child(child(entities, 0), 'name').parentType).toBe('Agent');
    expect(child(entities, 1).error).toHaveLength(1);
  });

  test('comes only where it is asked for, also once the query is known; the data is the same', async () => {
    const plain = await ask(QUERY, variables);
    expect(plain.extensions?.ftv1).toBeUndefined();
    const traced = await ask(QUERY, variables, INCLUDE);
    expect(traced.extensions?.ftv1).toEqual(expect.any(String));
    const after = await ask(QUERY, variables);
    expect(after.extensions?.ftv1).toBeUndefined();
    for (const answer of [traced, after]) {
      expect(answer.data).toEqual(plain.data);
      expect(answer.errors).toEqual(plain.errors);
    }
    expect(
      (await ask(QUERY, variables, { 'apollo-federation-include-trace': 'ftv2' })).extensions?.ftv1,
    ).toBeUndefined();
    const graph = await ask('{ agents { nodes { handle } } }', {}, INCLUDE, 'graphql');
    expect(graph.errors).toBeUndefined();
    expect(graph.extensions?.ftv1).toBeUndefined();
  });
});
