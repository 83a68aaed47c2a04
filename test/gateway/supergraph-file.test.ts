import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { composeSupergraph } from '../../src/gateway/compose.ts';
import { sdlOf } from '../../src/gateway/subgraph-list.ts';
import { buildRegistrySubgraph, REGISTRY_SUBGRAPH } from '../../src/graphql/schema.ts';
import { data, startTestApp } from '../support/app.ts';
import { startCostsSubgraph } from '../support/remote-subgraph.ts';

let folder: string;
let costs: Awaited<ReturnType<typeof startCostsSubgraph>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-supergraph-'));
  costs = await startCostsSubgraph(() => 0.5);
});
afterAll(async () => {
  await costs?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a ready supergraph from SUPERGRAPH is served: the registry in this process, the rest where it says', async () => {
  const registry = {
    name: REGISTRY_SUBGRAPH,
    url: 'http://elsewhere.invalid/subgraph',
    sdl: buildRegistrySubgraph().sdl,
  };
  const remote = { name: 'costs', url: costs.url };
  const { supergraphSdl } = composeSupergraph([registry, { ...remote, sdl: await sdlOf(remote) }]);
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, supergraphSdl!);
  const app = await startTestApp({ SUPERGRAPH: file });
  try {
    const { agents, currency } = await data(app.addresses.url, '{ currency agents { nodes { handle costPerCall } } }');
    expect(currency).toBe('EUR');
    expect(agents.nodes).toEqual([{ handle: 'echo', costPerCall: 0.5 }]);
  } finally {
    await app.close();
  }
});

test('text that is no supergraph stops the start, naming the setting', async () => {
  const file = join(folder, 'nonsense.graphql');
  writeFileSync(file, 'type Query { a: Int }');
  await expect(startTestApp({ SUPERGRAPH: file })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    field: 'SUPERGRAPH',
  });
  await expect(startTestApp({ SUPERGRAPH: join(folder, 'absent') })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    field: 'SUPERGRAPH',
  });
});
