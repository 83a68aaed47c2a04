import { isUuid } from '../../database/ids.ts';
import type { LoadResult } from '../../registry/transfer/load.ts';
import { AGENT_STATUSES, AUTHENTICATION_TYPES, EXECUTION_TYPES, VISIBILITIES } from '../../registry/words.ts';
import {
  AGENT_FIELDS,
  type AgentView,
  type CardReport,
  collect,
  PAGE,
  PROVIDER_FIELDS,
  type RegistryAccess,
  SKILL_FIELDS,
} from './access.ts';
import { graphqlClient } from './graphql-client.ts';

const AGENT = `fragment A on Agent { ${AGENT_FIELDS.join(' ')}
  provider { ${PROVIDER_FIELDS.join(' ')} } skills { ${SKILL_FIELDS.join(' ')} } taskCategories { name version } }`;

/** The fields of an agent that are enums in the graph, and the words of the core. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  executionType: EXECUTION_TYPES,
  status: AGENT_STATUSES,
  visibility: VISIBILITIES,
  authenticationType: AUTHENTICATION_TYPES,
};
/** API_KEY is the core's apiKey. */
const sameWord = (word: string, name: string): boolean => word.toLowerCase() === name.toLowerCase().replaceAll('_', '');
const toEnum = (word: string): string => word.toUpperCase();

function toView(agent: Record<string, unknown>): AgentView {
  const view = { ...agent };
  for (const [field, words] of Object.entries(WORDS))
    view[field] = words.find((word) => sameWord(word, String(agent[field]))) ?? agent[field];
  return view as unknown as AgentView;
}

interface Agents {
  readonly agents: {
    readonly nodes: readonly Record<string, unknown>[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** The registry by a running server's GraphQL API. @param token of the caller; anonymous without one. */
export function overGraphql(url: string, token: string | undefined): RegistryAccess {
  const ask = graphqlClient(url, token);
  return {
    describe: `the server at ${url}`,
    async listAgents({ search, status, skill, tag, limit }) {
      const filter = { status: status?.map(toEnum), skillKey: skill, tag };
      const { items, more } = await collect(limit, async (first, after) => {
        const { agents } = await ask<Agents>(
          `query($filter: AgentFilterInput, $search: String, $first: Int, $after: String) {
            agents(filter: $filter, search: $search, first: $first, after: $after) { nodes { ...A } pageInfo { hasNextPage endCursor } } } ${AGENT}`,
          { filter, search, first, after },
        );
        return {
          items: agents.nodes.map(toView),
          next: agents.pageInfo.hasNextPage ? agents.pageInfo.endCursor : null,
        };
      });
      return { agents: items, more };
    },
    async agent(idOrHandle) {
      const { agent } = await ask<{ agent: Record<string, unknown> | null }>(
        `query($id: ID, $handle: String) { agent(id: $id, handle: $handle) { ...A } } ${AGENT}`,
        isUuid(idOrHandle) ? { id: idOrHandle } : { handle: idOrHandle },
      );
      return agent === null ? undefined : toView(agent);
    },
    async previewCard(cardUrl) {
      const { previewCard } = await ask<{ previewCard: CardReport }>(
        'mutation($url: String!) { previewCard(url: $url) { valid problems { path severity message } } }',
        { url: cardUrl },
      );
      const problems = previewCard.problems.map((p) => ({ ...p, severity: p.severity.toLowerCase() }));
      return { ...previewCard, problems };
    },
    async importAgent({ url: cardUrl, handle, visibility }) {
      const { importAgent } = await ask<{ importAgent: Record<string, unknown> }>(
        `mutation($input: ImportAgentInput!) { importAgent(input: $input) { ...A } } ${AGENT}`,
        { input: { url: cardUrl, handle, visibility: visibility === undefined ? undefined : toEnum(visibility) } },
      );
      return toView(importAgent);
    },
    async exportRecords(after) {
      const { exportRecords } = await ask<{ exportRecords: { records: object[]; next: string | null } }>(
        'query($first: Int, $after: String) { exportRecords(first: $first, after: $after) { records next } }',
        { first: PAGE, after },
      );
      return exportRecords;
    },
    async loadRecords(records, { onConflict, dryRun }) {
      const { loadRecords } = await ask<{ loadRecords: LoadResult }>(
        `mutation($input: LoadRecordsInput!) { loadRecords(input: $input) {
          created updated unchanged skipped needCredentials problems { index field message } } }`,
        { input: { records, onConflict: onConflict == null ? onConflict : toEnum(onConflict), dryRun } },
      );
      return loadRecords;
    },
    close: async () => undefined,
  };
}
