import type { LoadOptions, LoadResult } from '../../registry/transfer/load.ts';

/** What commands do with the registry, through a running server or on the database itself. */
export interface RegistryAccess {
  /** What a person may read about where the registry is. */
  readonly describe: string;
  listAgents(request: AgentQuery): Promise<{ readonly agents: readonly AgentView[]; readonly more: boolean }>;
  /** Undefined when there is none that the caller may see. */
  agent(idOrHandle: string): Promise<AgentView | undefined>;
  previewCard(url: string): Promise<CardReport>;
  importAgent(request: ImportRequest): Promise<AgentView>;
  /** @throws RollcallError as registry.exportRecords. */
  exportRecords(after: string | null): Promise<{ readonly records: readonly object[]; readonly next: string | null }>;
  /** @throws RollcallError as registry.loadRecords. */
  loadRecords(records: readonly unknown[], options: LoadOptions): Promise<LoadResult>;
  /** @throws RollcallError as registry.updateAgent and registry.setTaskCategories. */
  setFlyte(agentId: string, request: FlyteRequest): Promise<AgentView>;
  /** @throws RollcallError as registry.registerDeployment. */
  registerDeployment(agentId: string, input: DeploymentRequest): Promise<DeploymentView>;
  /** @throws RollcallError as registry.updateDeployment. */
  updateDeployment(id: string, patch: Partial<DeploymentRequest>): Promise<DeploymentView>;
  /** @throws RollcallError as registry.removeDeployment. */
  removeDeployment(id: string): Promise<DeploymentView>;
  close(): Promise<void>;
}

/** Which agents to list. */
export interface AgentQuery {
  readonly search?: string | undefined;
  readonly status?: readonly string[] | undefined;
  readonly skill?: string | undefined;
  readonly tag?: string | undefined;
  readonly limit: number;
}

export interface ImportRequest {
  readonly url: string;
  readonly handle?: string | undefined;
  readonly visibility?: string | undefined;
}

/** How Flyte is to know an agent; what is undefined stays. */
export interface FlyteRequest {
  readonly flyteName?: string | undefined;
  readonly isSync?: boolean | undefined;
  readonly taskCategories?: readonly { readonly name: string; readonly version: number }[] | undefined;
}

/** A Flyte deployment to register; what is undefined is left to the registry. */
export interface DeploymentRequest {
  readonly endpoint?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly generation?: number | undefined;
  readonly weight?: number | undefined;
  readonly draining?: boolean | undefined;
  readonly timeouts?: Readonly<Record<string, number>> | undefined;
}

/** What is wrong with a card, by JSON path. */
export interface CardReport {
  readonly valid: boolean;
  readonly problems: readonly { readonly path: string; readonly severity: string; readonly message: string }[];
}

/** The fields of an agent that commands show, as the core names them. */
export const AGENT_FIELDS = [
  'id',
  'handle',
  'name',
  'description',
  'version',
  'type',
  'executionType',
  'status',
  'visibility',
  'owner',
  'url',
  'authenticationType',
  'hasCredentials',
  'inputModes',
  'outputModes',
  'capabilities',
  'documentationUrl',
  'iconUrl',
  'streaming',
  'pushNotifications',
  'stateTransitionHistory',
  'retrySafe',
  'flyteName',
  'isSync',
  'createdAt',
  'updatedAt',
  'revision',
] as const;
export const PROVIDER_FIELDS = ['id', 'name', 'url'] as const;
export const SKILL_FIELDS = [
  'id',
  'key',
  'name',
  'description',
  'tags',
  'examples',
  'inputModes',
  'outputModes',
] as const;

export const DEPLOYMENT_FIELDS = ['id', 'endpoint', 'tls', 'generation', 'weight', 'draining', 'timeouts'] as const;

type Fields<K extends string> = { readonly [F in K]: unknown };

/** A Flyte deployment as commands show it; its endpoint is null for those who may not change the agent. */
export type DeploymentView = Fields<(typeof DEPLOYMENT_FIELDS)[number]>;

/** An agent as commands show it: words as the core has them, times as RFC 3339. */
export interface AgentView extends Fields<(typeof AGENT_FIELDS)[number]> {
  readonly provider: Fields<(typeof PROVIDER_FIELDS)[number]> | null;
  readonly skills: readonly Fields<(typeof SKILL_FIELDS)[number]>[];
  readonly taskCategories: readonly { readonly name: string; readonly version: number }[];
  readonly deployments: readonly DeploymentView[];
}

/** The largest page that the registry gives. */
export const PAGE = 200;

/** Reads pages until there are as many items as wanted, or no more. */
export async function collect<T>(
  limit: number,
  page: (
    first: number,
    after: string | null,
  ) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const got = await page(Math.min(PAGE, limit - items.length), after);
    items.push(...got.items);
    after = got.next;
  } while (after !== null && items.length < limit);
  return { items, more: after !== null };
}
