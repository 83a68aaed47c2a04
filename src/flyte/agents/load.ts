import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RollcallError } from '../../errors.ts';
import type { LocalAgent } from './agent.ts';
import { AGENT_KIT, type AgentModule } from './kit.ts';

const wrong = (path: string, message: string, cause?: unknown): RollcallError =>
  new RollcallError('INVALID_INPUT', `FLYTE_AGENTS: ${path}: ${message}`, { field: 'FLYTE_AGENTS', cause });

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;

const isAgent = (value: unknown): value is LocalAgent => {
  const { name, category, isSync } = (value ?? {}) as Partial<LocalAgent>;
  return (
    typeof name === 'string' &&
    name !== '' &&
    typeof category?.name === 'string' &&
    category.name !== '' &&
    Number.isInteger(category.version) &&
    typeof isSync === 'boolean'
  );
};

/**
 * The agents of one module: an ES module, in JavaScript or TypeScript, whose default export is an {@link AgentModule}.
 *
 * @param path of the module, from the working directory
 * @throws RollcallError INVALID_INPUT naming FLYTE_AGENTS and the module.
 */
export async function loadAgents(path: string): Promise<readonly LocalAgent[]> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (error) {
    throw wrong(path, `cannot be loaded: ${reason(error)}`, error);
  }
  if (typeof module.default !== 'function')
    throw wrong(path, 'its default export must be a function that takes the kit and answers agents');
  let made: LocalAgent | readonly LocalAgent[];
  try {
    made = await (module.default as AgentModule)(AGENT_KIT);
  } catch (error) {
    throw wrong(path, `failed: ${reason(error)}`, error);
  }
  const agents = [made].flat();
  if (agents.length === 0 || !agents.every(isAgent))
    throw wrong(path, 'must answer agents that extend the AsyncAgent or SyncAgent of the kit, with name and category');
  return agents;
}
