/** What the order of a listing looks at. */
export interface Listed {
  readonly name: string;
  readonly isSync: boolean;
  readonly categories: readonly { readonly name: string; readonly version: number }[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Agents as ListAgents gives them: all async ones first, then the sync ones, as propeller keeps only the last listed
 * version of a category name and takes every version it does not know to be async. Within that, agents are sorted by name
 * and categories by name and version, so that all replicas answer the same bytes.
 */
export function inListingOrder<T extends Listed>(agents: readonly T[]): T[] {
  return agents
    .map((agent) => ({
      ...agent,
      categories: agent.categories.toSorted((a, b) => compare(a.name, b.name) || a.version - b.version),
    }))
    .sort((a, b) => Number(a.isSync) - Number(b.isSync) || compare(a.name, b.name));
}
