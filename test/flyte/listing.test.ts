import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildListing } from '../../src/flyte/listing.ts';
import type { FlyteAgentRow } from '../../src/flyte/source.ts';
import { ListConnectorsResponse } from '../../src/protocol/flyte/generated/flyteidl2/connector/connector.ts';
import { admin } from './support/published.ts';
import { ROWS, row } from './support/rows.ts';

const listed = (rows: readonly FlyteAgentRow[]) => admin.ListAgentsResponse.decode(buildListing(rows).agents).agents;

/** What propeller 1.x makes of a list: one version per name, the last one listed; what it does not know is async. */
function asPropellerReads(rows: readonly FlyteAgentRow[]): (name: string, version: number) => boolean {
  const registry = new Map<string, { version: number; isSync: boolean }>();
  for (const agent of listed(rows)) {
    const isSync = agent.isSync ?? false;
    for (const name of agent.supportedTaskTypes ?? []) registry.set(name, { version: 0, isSync });
    for (const category of agent.supportedTaskCategories ?? []) {
      registry.set(category.name ?? '', { version: category.version ?? 0, isSync });
    }
  }
  return (name, version) => {
    const known = registry.get(name);
    return known?.version === version ? known.isSync : false;
  };
}

const rowsArbitrary = fc.array(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 8 }),
    isSync: fc.boolean(),
    categories: fc.uniqueArray(
      fc.record({ name: fc.constantFrom('spark', 'boto', 'airflow', 'chatgpt'), version: fc.nat(3) }),
      { selector: (category) => `${category.name} ${category.version}`, maxLength: 4 },
    ),
  }),
  { maxLength: 8 },
);

describe('buildListing', () => {
  it('lists the async agents first, then the sync ones, each sorted by name', () => {
    expect(listed(ROWS).map((agent) => agent.name)).toEqual([
      'Bigquery Agent',
      'Spark Agent',
      'Boto Agent',
      'ChatGPT Agent',
    ]);
  });

  it('gives both the deprecated task types, once each, and the categories', () => {
    const spark = listed(ROWS).find((agent) => agent.name === 'Spark Agent');
    expect(spark?.supportedTaskTypes).toEqual(['spark']);
    expect(spark?.supportedTaskCategories?.map((category) => [category.name, category.version])).toEqual([
      ['spark', 0],
      ['spark', 1],
    ]);
    expect(spark?.isSync).toBe(false);
  });

  it('routes every category right on propeller 1.x, as long as no name has two sync versions', () => {
    fc.assert(
      fc.property(rowsArbitrary, (generated) => {
        const taken = new Set<string>();
        const syncNames = new Map<string, number>();
        const rows = generated.map((each) => ({
          ...each,
          categories: each.categories.filter(({ name, version }) => {
            const key = `${name} ${version}`;
            if (taken.has(key) || (each.isSync && syncNames.has(name))) return false;
            taken.add(key);
            if (each.isSync) syncNames.set(name, version);
            return true;
          }),
        }));
        const isSync = asPropellerReads(rows);
        for (const each of rows) {
          for (const { name, version } of each.categories) expect(isSync(name, version)).toBe(each.isSync);
        }
        expect(buildListing(rows).warnings).toEqual([]);
      }),
    );
  });

  it('answers the same bytes whatever the order of the rows', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const unique = [...new Map(rows.map((each) => [each.name, each])).values()];
        expect(buildListing([...unique].reverse()).agents).toEqual(buildListing(unique).agents);
      }),
    );
  });

  it('warns of two sync versions of one category name', () => {
    const { warnings } = buildListing([row('One', true, ['boto', 0]), row('Two', true, ['boto', 3])]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('"boto" has sync versions 0, 3');
  });

  it('leaves the sync agents out of the second generation, which has no sync service', () => {
    const { connectors } = ListConnectorsResponse.decode(buildListing(ROWS).connectors);
    expect(connectors.map((connector) => connector.name)).toEqual(['Bigquery Agent', 'Spark Agent']);
  });
});
