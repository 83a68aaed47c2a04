import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTeamSubgraph, type TeamSubgraph } from '../support/team-subgraph.ts';
import { folder, run } from './support.ts';

const AGENT_COSTS = 'type Query { currency: String! } type Agent @key(fields: "id") { id: ID! costPerCall: Float! }';
const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n';

let dir: string;
let costs: TeamSubgraph;
beforeEach(() => {
  dir = folder();
});
beforeAll(async () => {
  costs = await startTeamSubgraph({ sdl: AGENT_COSTS });
});
afterAll(() => costs?.close());

function list(name: string, entries: readonly object[]): string {
  const file = join(dir, name);
  writeFileSync(file, JSON.stringify(entries));
  return file;
}

describe('rollcall compose', () => {
  test('asks a subgraph for its schema, and writes the supergraph with the registry in it', async () => {
    const output = join(dir, 'supergraph.graphql');
    const { code, stdout, stderr } = await run([
      'compose',
      '--subgraphs',
      list('live.json', [{ name: 'costs', url: costs.url }]),
      '--output',
      output,
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe('2 subgraphs composed: registry, costs.\n');
    expect(readFileSync(output, 'utf8')).toMatch(/costPerCall: Float! @join__field/);
  });

  test('works offline with a schema in a file beside the list', async () => {
    writeFileSync(join(dir, 'costs.graphql'), LINK + AGENT_COSTS);
    const entry = { name: 'costs', url: 'http://costs.invalid/graphql', sdlFile: 'costs.graphql' };
    const { code, stdout } = await run(['compose', '--no-registry', '--subgraphs', list('offline.json', [entry])]);
    expect(code).toBe(0);
    expect(stdout).toContain('COSTS @join__graph(name: "costs", url: "http://costs.invalid/graphql")');
    const absent = list('absent.json', [{ ...entry, sdlFile: 'nowhere.graphql' }]);
    const wrong = await run(['compose', '--subgraphs', absent]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/costs\.sdlFile: .*nowhere\.graphql cannot be read/);
  });

  test('lists every problem, with the subgraph it is in', async () => {
    const file = list('clash.json', [
      { name: 'a', url: 'http://a.invalid/', sdl: `${LINK}type Query { n: Int }` },
      { name: 'b', url: 'http://b.invalid/', sdl: `${LINK}type Query { n: Int }` },
      { name: 'c', url: 'http://c.invalid/', sdl: 'type Query {' },
    ]);
    const broken = await run(['compose', '--no-registry', '--subgraphs', file]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain('The subgraphs do not compose (1 error):\n  INVALID_GRAPHQL: [c] Syntax Error');
    const twice = list('twice.json', JSON.parse(readFileSync(file, 'utf8')).slice(0, 2));
    const { code, stdout } = await run(['compose', '--no-registry', '--subgraphs', twice, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).errors).toMatchObject([{ code: 'INVALID_FIELD_SHARING' }]);
    const silent = list('silent.json', [{ name: 'down', url: 'http://127.0.0.1:1/graphql' }]);
    expect((await run(['compose', '--subgraphs', silent])).stdout).toContain(
      'NO_SCHEMA: The subgraph down at http://127.0.0.1:1/graphql does not tell its schema',
    );
  });

  test('--diff says what would change for clients, and ends with 1 where that breaks some', async () => {
    const old = join(dir, 'old.graphql');
    const entry = { name: 'costs', url: 'http://costs.invalid/graphql' };
    const before = list('before.json', [{ ...entry, sdl: LINK + AGENT_COSTS }]);
    await run(['compose', '--no-registry', '--subgraphs', before, '--output', old]);
    const diff = (name: string, sdl: string) =>
      run(['compose', '--no-registry', '--diff', old, '--subgraphs', list(name, [{ ...entry, sdl: LINK + sdl }])]);
    expect(await diff('same.json', AGENT_COSTS)).toMatchObject({ code: 0, stdout: 'Nothing changes for clients.\n' });
    const more = await diff('more.json', AGENT_COSTS.replace('id: ID!', 'id: ID! budget: Float'));
    expect(more).toMatchObject({ code: 0 });
    expect(more.stdout).toMatch(/^1 change, 0 breaking:\n {2}safe +Field 'budget' was added/);
    const less = await diff('less.json', AGENT_COSTS.replace('currency: String!', 'euros: Boolean'));
    expect(less.code).toBe(1);
    expect(less.stdout).toMatch(/^2 changes, 1 breaking:\n {2}breaking +Field 'currency' was removed/);
    const none = await run(['compose', '--diff', join(dir, 'same.json'), '--subgraphs', before]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('--diff:');
  });
});
