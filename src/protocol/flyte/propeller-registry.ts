import type { Listed } from './listing-order.ts';

/** The one version of a category name that propeller has kept. */
export interface Kept<T> {
  readonly version: number;
  readonly agent: T;
}

/**
 * What FlytePropeller 1.x remembers of a ListAgents answer. For each agent, in the order of the answer, it reads the
 * deprecated supported_task_types as version 0, then the categories; each entry *replaces* whatever it had under the
 * name, all other versions included. What it does not remember it calls as an async task of its default agent.
 */
export function propellerRegistry<T extends Listed>(agents: readonly T[]): Map<string, Kept<T>> {
  const kept = new Map<string, Kept<T>>();
  for (const agent of agents) {
    for (const { name } of agent.categories) kept.set(name, { version: 0, agent });
    for (const { name, version } of agent.categories) kept.set(name, { version, agent });
  }
  return kept;
}
