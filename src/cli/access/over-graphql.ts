import { isUuid } from '../../database/ids.ts';
import type { LoadResult } from '../../registry/transfer/load.ts';
import {
  AGENT_STATUSES,
  AUTHENTICATION_TYPES,
  EXECUTION_TYPES,
  FLYTE_OPERATIONS,
  VISIBILITIES,
} from '../../registry/words.ts';
import {
  AGENT_FIELDS,
  type AgentView,
  type CardReport,
  collect,
  DEPLOYMENT_FIELDS,
  type DeploymentView,
  PAGE,
  PROVIDER_FIELDS,
  type RegistryAccess,
  SKILL_FIELDS,
} from './access.ts';
import { graphqlClient } from './graphql-client.ts';

const DEPLOYMENT = `fragment D on Deployment { ${DEPLOYMENT_FIELDS.filter((field) => field !== 'timeouts').join(' ')}
  timeouts { ${FLYTE_OPERATIONS.join(' ')} } }`;

const AGENT = `${DEPLOYMENT} fragment A on Agent { ${AGENT_FIELDS.join(' ')}
  provider { ${PROVIDER_FIELDS.join(' ')} } skills { ${SKILL_FIELDS.join(' ')} } taskCategories { name version }
  deployments { ...D } }`;

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
  view['deployments'] = (agent['deployments'] as Record<string, unknown>[]).map(toDeployment);
  return view as unknown as AgentView;
}

/** The graph has null where no timeout is set; the core has nothing. */
function toDeployment(deployment: Record<string, unknown>): DeploymentView {
  const timeouts = Object.entries(deployment['timeouts'] as object).filter(([, ms]) => ms !== null);
  return { ...deployment, timeouts: Object.fromEntries(timeouts) } as unknown as DeploymentView;
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
  /** A mutation of a deployment. */
  const deploy = async (mutation: string, type: string, input: object): Promise<DeploymentView> => {
    const answer = await ask<Record<string, Record<string, unknown>>>(
      `mutation($input: ${type}!) { ${mutation}(input: $input) { ...D } } ${DEPLOYMENT}`,
      { input },
    );
    return toDeployment(answer[mutation]!);
  };
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
    async setFlyte(agentId, { taskCategories, ...fields }) {
      const change = async (mutation: string, type: string, input: object): Promise<AgentView> => {
        const answer = await ask<Record<string, Record<string, unknown>>>(
          `mutation($input: ${type}!) { ${mutation}(input: $input) { ...A } } ${AGENT}`,
          { input },
        );
        return toView(answer[mutation]!);
      };
      const agent = await change('updateAgent', 'UpdateAgentInput', { id: agentId, ...fields });
      if (taskCategories === undefined) return agent;
      return change('setTaskCategories', 'SetTaskCategoriesInput', { agentId, taskCategories });
    },
    registerDeployment: (agentId, input) =>
      deploy('registerDeployment', 'RegisterDeploymentInput', { agentId, ...input }),
    updateDeployment: (id, patch) => deploy('updateDeployment', 'UpdateDeploymentInput', { id, ...patch }),
    removeDeployment: (id) => deploy('removeDeployment', 'RemoveDeploymentInput', { id }),
    close: async () => undefined,
  };
}
