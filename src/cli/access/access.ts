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

type Fields<K extends string> = { readonly [F in K]: unknown };

/** An agent as commands show it: words as the core has them, times as RFC 3339. */
export interface AgentView extends Fields<(typeof AGENT_FIELDS)[number]> {
  readonly provider: Fields<(typeof PROVIDER_FIELDS)[number]> | null;
  readonly skills: readonly Fields<(typeof SKILL_FIELDS)[number]>[];
  readonly taskCategories: readonly { readonly name: string; readonly version: number }[];
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
