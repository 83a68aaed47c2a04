import type { Denial, Principal } from '../auth/principal.ts';
import { invalid, RollcallError } from '../errors.ts';
import { type AgentOperation, refusalOf } from './access.ts';
import { changeAgent } from './agents/change.ts';
import { conflictsAs } from './agents/conflicts.ts';
import { openAuthentication } from './agents/credentials.ts';
import { latencyOfAgents } from './agents/latency.ts';
import {
  agentByHandle,
  agentsById,
  agentToChange,
  historyOfAgent,
  skillsOfAgents,
  taskCategoriesOfAgents,
  usageOfAgents,
} from './agents/read.ts';
import { replaceTaskCategories, showCategory } from './agents/task-categories.ts';
import { deleteAgent, registerAgent, setAgentStatus, updateAgent } from './agents/write.ts';
import { Denials } from './audit/denials.ts';
import { type AuditRequest, listAudit, removeOldAudit } from './audit/list.ts';
import { cardKeysOf, setCardKeys } from './cards/trust/card-keys.ts';
import type { RegistryContext } from './context.ts';
import { flyteAgents } from './flyte/catalog.ts';
import type { DeploymentInput, DeploymentPatch } from './flyte/deployment-input.ts';
import { registerDeployment, removeDeployment, updateDeployment } from './flyte/deployments.ts';
import { type FlyteStanding, flytePreview } from './flyte/preview.ts';
import { deploymentById, deploymentsOfAgents } from './flyte/read-deployments.ts';
import { flyteStamp } from './flyte/stamp.ts';
import type { Authentication } from './input/authentication.ts';
import { check } from './input/check.ts';
import {
  type AgentInput,
  type AgentPatch,
  type ProviderInput,
  type ProviderPatch,
  type SkillInput,
  type SkillPatch,
  type TaskCategoryInput,
  taskCategoriesSchema,
} from './input/schemas.ts';
import { countAgents, type FacetField, facetsOf } from './lists/agent-counts.ts';
import { type AgentListRequest, listAgents } from './lists/agent-list.ts';
import type { Agent, Deployment } from './model.ts';
import { deleteProvider, listProviders, providersById, registerProvider, updateProvider } from './providers.ts';
import { addSkill, listSkills, removeSkill, type SkillFilter, skillsById, updateSkill } from './skills.ts';
import { exportRecords } from './transfer/export.ts';
import { type LoadOptions, loadRecords } from './transfer/load.ts';
import { createUsageMeter } from './usage.ts';
import { requireScope } from './visibility.ts';
import type { AgentStatus } from './words.ts';

/** An agent and what is needed to call it. Never leaves the process. */
export interface ReachableAgent {
  readonly agent: Agent;
  /** How to sign in; `{ type: 'none' }` where no credentials are stored. */
  readonly authentication: Authentication;
}

interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** The registry's face: agents, skills, providers. Every call takes the principal first, and sees what that one may see. */
export type Registry = ReturnType<typeof createRegistry>;

/** Builds the registry on its foundations. `close` writes what is still counted. */
export function createRegistry(context: RegistryContext) {
  const { query } = context.database;
  const usage = createUsageMeter(query, context.log);
  const denials = new Denials(query, context.log);

  const reread = (principal: Principal, id: string): Promise<Agent> => agentToChange(query, principal, id);

  /** A deployment after a change, as its changer sees it. */
  const redeployed = async (principal: Principal, id: string): Promise<Deployment> => {
    const deployment = await deploymentById(query, principal, id);
    if (deployment === undefined)
      throw new RollcallError('NOT_FOUND', `The deployment ${id} was removed at the same moment.`);
    return deployment;
  };

  return {
    usage,

    agentsById: (principal: Principal, ids: readonly string[]) => agentsById(query, principal, ids),
    agentByHandle: (principal: Principal, handle: string) => agentByHandle(query, principal, handle),
    listAgents: (principal: Principal, request: AgentListRequest) => listAgents(query, principal, request),
    countAgents: (principal: Principal, request: AgentListRequest) => countAgents(query, principal, request),
    facets: (principal: Principal, request: AgentListRequest, fields: readonly FacetField[]) =>
      facetsOf(query, principal, request, fields),
    /** Of agents that the caller has been shown. */
    skillsOfAgents: (agentIds: readonly string[]) => skillsOfAgents(query, agentIds),
    taskCategoriesOfAgents: (agentIds: readonly string[]) => taskCategoriesOfAgents(query, agentIds),
    usageOfAgents: (agentIds: readonly string[]) => usageOfAgents(query, agentIds),
    latencyOfAgents: (agentIds: readonly string[]) => latencyOfAgents(query, agentIds),
    historyOfAgent: (agentId: string, request: PageRequest) => historyOfAgent(query, agentId, request),

    /** @throws RollcallError NOT_FOUND when the caller may not see it, or it is not there. */
    async agent(principal: Principal, id: string): Promise<Agent> {
      requireScope(principal, 'registry:read');
      return reread(principal, id);
    },

    /**
     * The agent with its credentials opened, for whoever calls it on the caller's behalf.
     *
     * @throws RollcallError NOT_FOUND; FAILED_PRECONDITION when SECRET_KEY is not the one they were stored with.
     */
    async reachable(principal: Principal, id: string): Promise<ReachableAgent> {
      const agent = await reread(principal, id);
      if (!agent.hasCredentials) return { agent, authentication: { type: 'none' } };
      const [row] = await query<{ sealed: string | null }>(
        'select authentication_config as sealed from agent where id = $1',
        [agent.id],
      );
      if (row?.sealed == null) return { agent, authentication: { type: 'none' } };
      return { agent, authentication: openAuthentication(context.secrets, agent.id, row.sealed) };
    },

    async registerAgent(principal: Principal, input: AgentInput): Promise<Agent> {
      return reread(principal, await registerAgent(context, principal, input));
    },
    async updateAgent(principal: Principal, id: string, patch: AgentPatch, revision?: number): Promise<Agent> {
      await updateAgent(context, principal, id, patch, { revision });
      return reread(principal, id);
    },
    async setAgentStatus(principal: Principal, id: string, status: AgentStatus, revision?: number): Promise<Agent> {
      await setAgentStatus(context, principal, id, status, revision);
      return reread(principal, id);
    },
    /** Answers the agent as it was. */
    async deleteAgent(principal: Principal, id: string, revision?: number): Promise<Agent> {
      requireScope(principal, 'registry:write');
      const agent = await reread(principal, id);
      await deleteAgent(context, principal, id, revision);
      return agent;
    },
    async setTaskCategories(
      principal: Principal,
      id: string,
      input: readonly TaskCategoryInput[],
      revision?: number,
    ): Promise<Agent> {
      const wanted = check(taskCategoriesSchema, input, 'input.taskCategories');
      const request = { agentId: id, revision, action: 'taskCategoriesSet' } as const;
      await conflictsAs({}, () =>
        changeAgent(context, principal, request, async (agent, tx) => {
          const [present = []] = await taskCategoriesOfAgents(tx.query, [agent.id]);
          const before = present.map(showCategory).sort();
          const after = wanted.map(showCategory).sort();
          if (before.join() === after.join()) return [];
          await replaceTaskCategories(tx, principal, agent, wanted);
          return [{ field: 'taskCategories', before, after }];
        }),
      );
      return reread(principal, id);
    },

    /** Of agents that the caller has been shown; who may not change an agent must not be shown its endpoints. */
    deploymentsOfAgents: (agentIds: readonly string[]) => deploymentsOfAgents(query, agentIds),
    async registerDeployment(
      principal: Principal,
      agentId: string,
      input: DeploymentInput,
      revision?: number,
    ): Promise<Deployment> {
      return redeployed(principal, await registerDeployment(context, principal, agentId, input, revision));
    },
    async updateDeployment(
      principal: Principal,
      id: string,
      patch: DeploymentPatch,
      revision?: number,
    ): Promise<Deployment> {
      await updateDeployment(context, principal, id, patch, revision);
      return redeployed(principal, id);
    },
    /** Answers the deployment as it was. */
    removeDeployment: (principal: Principal, id: string, revision?: number) =>
      removeDeployment(context, principal, id, revision),
    flyteAgents: (principal: Principal) => flyteAgents(query, principal),
    flyteStamp: () => flyteStamp(query),
    flytePreview: (principal: Principal, standing: FlyteStanding) => flytePreview(query, principal, standing),

    listSkills: (principal: Principal, request: PageRequest & { readonly filter?: SkillFilter | null }) =>
      listSkills(query, principal, request),
    skillsById: (principal: Principal, ids: readonly string[]) => skillsById(query, principal, ids),
    addSkill: (principal: Principal, agentId: string, input: SkillInput, revision?: number) =>
      addSkill(context, principal, agentId, input, revision),
    updateSkill: (principal: Principal, id: string, patch: SkillPatch, revision?: number) =>
      updateSkill(context, principal, id, patch, revision),
    removeSkill: (principal: Principal, id: string, revision?: number) => removeSkill(context, principal, id, revision),

    listProviders: (principal: Principal, request: PageRequest & { readonly search?: string | null }) =>
      listProviders(query, principal, request),
    providersById: (principal: Principal, ids: readonly string[]) => providersById(query, principal, ids),
    registerProvider: (principal: Principal, input: ProviderInput) => registerProvider(context, principal, input),
    /** The public keys pinned for providers, in the order of the ids. */
    cardKeysOfProviders: (ids: readonly string[]) => cardKeysOf(query, ids),
    setProviderCardKeys: (principal: Principal, id: string, keys: readonly unknown[], revision?: number) =>
      setCardKeys(context, principal, id, keys, revision),
    updateProvider: (principal: Principal, id: string, patch: ProviderPatch, revision?: number) =>
      updateProvider(context, principal, id, patch, revision),
    deleteProvider: (principal: Principal, id: string, revision?: number) =>
      deleteProvider(context, principal, id, revision),

    exportRecords: (principal: Principal, request: PageRequest) => exportRecords(query, principal, request),
    loadRecords: (principal: Principal, records: readonly unknown[], options?: LoadOptions) =>
      loadRecords(context, principal, records, options),

    /** Why the caller may not do this with an agent that they have been shown; undefined when they may. */
    refusalOf: (principal: Principal, agent: Agent, operation: AgentOperation) =>
      refusalOf(principal, agent, operation),

    /** What was changed and what was refused, newest first. @throws RollcallError INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN. */
    async auditLog(principal: Principal, request: AuditRequest = {}) {
      await denials.flush();
      return listAudit(query, principal, request);
    },
    /** Counts a refusal, for the audit log. */
    denied: (principal: Principal, denial: Denial): void => denials.add(principal, denial),
    /** Removes lines of the audit log that are older; answers how many. */
    removeOldAudit: (olderThanMs: number, signal: AbortSignal) => removeOldAudit(query, olderThanMs, signal),

    async close(): Promise<void> {
      await denials.flush();
      await usage.stop();
    },
  };
}

/** An agent asked for by exactly one of id and handle. @throws RollcallError INVALID_INPUT otherwise. */
export function oneOfIdAndHandle(id: string | null | undefined, handle: string | null | undefined): void {
  if ((id == null) === (handle == null)) throw invalid('id', 'give exactly one of id and handle');
}
