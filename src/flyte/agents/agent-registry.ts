import { RollcallError } from '../../errors.ts';
import type { FlyteAgentRow, FlyteCategory, FlyteSource } from '../source.ts';
import type { LocalAgent } from './agent.ts';

const nameOf = ({ name, version }: FlyteCategory): string => `${name}_v${version}`;

/** The agents that run inside this process, by task category and by name. It is a source of rows: it can be listed as it is. */
export class AgentRegistry implements FlyteSource {
  readonly #byCategory = new Map<string, LocalAgent>();
  readonly #listeners = new Set<() => void>();

  /** @throws RollcallError ALREADY_EXISTS when the category or the name is taken */
  register(agent: LocalAgent): void {
    const category = nameOf(agent.category);
    if (this.#byCategory.has(category)) {
      throw new RollcallError('ALREADY_EXISTS', `Duplicate agent for task type: ${category}`);
    }
    if (this.#named(agent.name) !== undefined) {
      throw new RollcallError('ALREADY_EXISTS', `Duplicate agent name: ${agent.name}`);
    }
    this.#byCategory.set(category, agent);
    this.#changed();
  }

  /** Whether there was one. Its jobs can no longer be asked for. */
  unregister(category: FlyteCategory): boolean {
    const was = this.#byCategory.delete(nameOf(category));
    if (was) this.#changed();
    return was;
  }

  has(category: FlyteCategory): boolean {
    return this.#byCategory.has(nameOf(category));
  }

  /** @throws RollcallError NOT_FOUND */
  get(category: FlyteCategory): LocalAgent {
    const agent = this.#byCategory.get(nameOf(category));
    if (agent !== undefined) return agent;
    throw new RollcallError('NOT_FOUND', `Cannot find agent for task category: ${nameOf(category)}.`);
  }

  /** @throws RollcallError NOT_FOUND */
  getByName(name: string): LocalAgent {
    const agent = this.#named(name);
    if (agent !== undefined) return agent;
    throw new RollcallError('NOT_FOUND', `Cannot find agent for name: ${name}.`);
  }

  /** Every agent, in the order of registration. */
  all(): readonly LocalAgent[] {
    return [...this.#byCategory.values()];
  }

  async list(): Promise<readonly FlyteAgentRow[]> {
    return this.all().map(({ name, isSync, category }) => ({
      name,
      isSync,
      categories: [category],
    }));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #named(name: string): LocalAgent | undefined {
    for (const agent of this.#byCategory.values()) if (agent.name === name) return agent;
    return undefined;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
