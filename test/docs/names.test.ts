import { status as grpcStatus } from '@grpc/grpc-js';
import { buildSchema, type GraphQLNamedType, isEnumType, isInputObjectType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { SCOPES } from '../../src/auth/principal.ts';
import { CONFIG_FLAGS, flagOf } from '../../src/config.ts';
import { OPTIONS, type Option } from '../../src/config-options.ts';
import { ERROR_SHAPES } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/gateway/host/limits.ts';
import { buildRegistrySubgraph } from '../../src/graphql/schema.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { textOf } from './pages.ts';

/** The cells of the table row whose first cell is this name in backquotes; undefined when there is none. */
function rowOf(page: string, name: string): string[] | undefined {
  const line = textOf(page)
    .split('\n')
    .find((text) => text.startsWith(`| \`${name}\` |`));
  return line
    ?.split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

const named = (page: string): ReadonlySet<string> => new Set(textOf(page).match(/[A-Za-z_][A-Za-z0-9_]*/g));

describe('docs/errors.md', () => {
  test.each(Object.entries(ERROR_SHAPES))('lists %s as every protocol has it', (code, shape) => {
    const row = rowOf('docs/errors.md', code);
    expect(row, `a row for ${code}`).toBeDefined();
    const [, http, jsonRpc, grpc, a2a] = row!;
    expect({ http, jsonRpc, grpc, a2a }).toEqual({
      http: `${shape.http} ${shape.title}`,
      jsonRpc: String(shape.jsonRpc),
      grpc: `${grpcStatus[shape.grpc]} (${shape.grpc})`,
      a2a: 'a2a' in shape ? `\`${shape.a2a}\`` : '–',
    });
    expect(textOf('docs/errors.md'), 'what it means and what to do').toContain(`\n### ${code}\n\n`);
  });

  test('lists nothing else', () => {
    const headings = [...textOf('docs/errors.md').matchAll(/^### ([A-Z_]+)$/gm)].map(([, code]) => code);
    expect(headings.toSorted()).toEqual(Object.keys(ERROR_SHAPES).toSorted());
  });
});

describe('README.md', () => {
  test.each(Object.entries(OPTIONS) as [string, Option<unknown>][])('lists the setting %s', (name, option) => {
    expect(rowOf('README.md', name)).toEqual([
      `\`${name}\``,
      option.shownDefault ?? `\`${String(option.fallback)}\``,
      option.help,
    ]);
  });

  test('names no setting that does not exist', () => {
    const rows = [...textOf('README.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name!);
    expect(rows.filter((name) => !(flagOf(name) in CONFIG_FLAGS))).toEqual([]);
    expect(rows).toHaveLength(Object.keys(OPTIONS).length);
  });

  test('names every scope', () => {
    for (const scope of SCOPES) expect(textOf('README.md')).toContain(`\`${scope}\``);
  });
});

describe('docs/operations.md', () => {
  test('lists every metric of ours, with its labels, and no other', async () => {
    const ours = (await createMetrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('rollcall_'));
    expect(ours.length).toBeGreaterThan(0);
    for (const { name, type } of ours) expect(rowOf('docs/operations.md', name)?.[1], name).toBe(String(type));
    const listed = [...textOf('docs/operations.md').matchAll(/^\| `(rollcall_[a-z_]+)` \|/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(ours.map(({ name }) => name).toSorted());
  });
});

describe('the graph', () => {
  const schema = buildSchema(buildRegistrySubgraph().sdl, { assumeValid: true, assumeValidSDL: true });
  const fieldsOf = (type: GraphQLNamedType | null | undefined): string[] =>
    isObjectType(type) || isInputObjectType(type) ? Object.keys(type.getFields()) : [];

  test.each([
    ['Query', schema.getQueryType()],
    ['Mutation', schema.getMutationType()],
    ['Subscription', schema.getSubscriptionType()],
  ])('docs/graphql.md lists every field of %s', (_name, type) => {
    const fields = fieldsOf(type).filter((name) => !name.startsWith('_'));
    expect(fields.length).toBeGreaterThan(1);
    for (const name of fields) expect(rowOf('docs/graphql.md', name), name).toBeDefined();
  });

  test('docs/graphql.md lists no operation that does not exist', () => {
    const all = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(fieldsOf);
    const [, table] = textOf('docs/graphql.md').split('\n## Operations\n');
    const rows = [...table!.split('\n## ')[0]!.matchAll(/^\| `([A-Za-z]+)` \|/gm)].map(([, name]) => name!);
    expect(rows.filter((name) => !all.includes(name))).toEqual([]);
  });

  test('docs/graphql.md gives the limits as they are', () => {
    for (const limit of Object.values(DEFAULT_LIMITS))
      expect(textOf('docs/graphql.md')).toContain(limit.toLocaleString('en-GB'));
  });

  test.each(['Agent', 'Skill'])('docs/schema.md lists every field of %s', (type) => {
    for (const name of fieldsOf(schema.getType(type)))
      expect(textOf('docs/schema.md'), `${type}.${name}`).toMatch(new RegExp(`^\\|[^|]*\\| \`${name}\` \\|`, 'm'));
  });

  test.each(['AgentFilterInput', 'SkillFilterInput', 'RegisterAgentInput', 'AuthenticationInput', 'RefreshAgentInput'])(
    'docs/agents-and-skills.md names every field of %s',
    (type) => {
      const names = named('docs/agents-and-skills.md');
      expect(fieldsOf(schema.getType(type)).filter((name) => !names.has(name))).toEqual([]);
    },
  );

  test('docs/agents-and-skills.md names every word of its enums', () => {
    const names = named('docs/agents-and-skills.md');
    for (const type of [
      'ExecutionType',
      'AgentStatus',
      'Visibility',
      'AuthenticationType',
      'FacetField',
      'AgentOrderField',
      'AgentAction',
    ]) {
      const words = schema.getType(type);
      const values = isEnumType(words) ? words.getValues().map(({ name }) => name) : [];
      expect(values.length, type).toBeGreaterThan(1);
      expect(
        values.filter((name) => !names.has(name)),
        type,
      ).toEqual([]);
    }
  });
});
