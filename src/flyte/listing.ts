import { keptAnswer } from '../grpc/kept-answers.ts';
import { type Agent, GetAgentResponse, ListAgentsResponse } from '../protocol/flyte/generated/flyteidl/admin/agent.ts';
import {
  GetConnectorResponse,
  ListConnectorsResponse,
} from '../protocol/flyte/generated/flyteidl2/connector/connector.ts';
import { inListingOrder } from '../protocol/flyte/listing-order.ts';
import type { FlyteAgentRow } from './source.ts';

/** Every answer of the metadata services, serialised. */
export interface FlyteListing {
  readonly agents: Buffer;
  /** GetAgentResponse by agent name. */
  readonly agent: ReadonlyMap<string, Buffer>;
  readonly connectors: Buffer;
  /** GetConnectorResponse by agent name. */
  readonly connector: ReadonlyMap<string, Buffer>;
  /** What Flyte will not see as it was registered, for the log. */
  readonly warnings: readonly string[];
}

const kept = (written: { finish(): Uint8Array }): Buffer => keptAnswer(Buffer.from(written.finish()));

/** The answers for these rows, in the order that propeller needs. */
export function buildListing(rows: readonly FlyteAgentRow[]): FlyteListing {
  const ordered = inListingOrder(rows).map(({ name, isSync, categories }) => ({
    name,
    isSync,
    categories: categories.map((category) => ({ name: category.name, version: category.version })),
  }));
  const agents = ordered.map(
    (row): Agent => ({
      name: row.name,
      supportedTaskTypes: [...new Set(row.categories.map((category) => category.name))],
      isSync: row.isSync,
      supportedTaskCategories: row.categories,
    }),
  );
  // The second generation has no sync service and no is_sync: told of a sync agent, it would send CreateTask.
  const connectors = ordered
    .filter((row) => !row.isSync)
    .map((row) => ({ name: row.name, supportedTaskCategories: row.categories }));
  return {
    agents: kept(ListAgentsResponse.encode({ agents })),
    agent: new Map(agents.map((agent) => [agent.name, kept(GetAgentResponse.encode({ agent }))])),
    connectors: kept(ListConnectorsResponse.encode({ connectors })),
    connector: new Map(
      connectors.map((connector) => [connector.name, kept(GetConnectorResponse.encode({ connector }))]),
    ),
    warnings: twoSyncVersions(ordered),
  };
}

/** Propeller keeps one version per category name, so of two sync versions one would be called as async. */
function twoSyncVersions(rows: readonly FlyteAgentRow[]): string[] {
  const versions = new Map<string, Set<number>>();
  for (const row of rows) {
    if (!row.isSync) continue;
    for (const { name, version } of row.categories) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  }
  return [...versions]
    .filter(([, found]) => found.size > 1)
    .map(
      ([name, found]) =>
        `Task category "${name}" has sync versions ${[...found].sort((a, b) => a - b).join(', ')}: ` +
        'FlytePropeller 1.x keeps one sync version per name; move the others to names of their own.',
    );
}
