import { type Principal, SYSTEM } from '../../auth/principal.ts';
import { toRollcallError } from '../../errors.ts';
import type { FlyteAgent } from '../../registry/flyte/catalog.ts';
import type { Registry } from '../../registry/registry.ts';
import type { LocalAgent } from './agent.ts';

const found = async (registry: Registry, { name }: LocalAgent): Promise<FlyteAgent | undefined> =>
  (await registry.flyteAgents(SYSTEM)).find(({ flyteName }) => flyteName === name);

const fits = (present: FlyteAgent, { isSync, category }: LocalAgent): boolean =>
  present.isSync === isSync &&
  present.categories.some(({ name, version }) => name === category.name && version === category.version);

/**
 * Makes an agent of this process an agent of the registry, so that Flyte and the graph list it like any other. One of
 * its Flyte name that is there already is made to fit, and otherwise stays as it is: its status, its description.
 *
 * @param owner of an agent that is new
 * @throws RollcallError ALREADY_EXISTS when its category belongs to another agent, naming that one; INVALID_INPUT.
 */
export async function announceAgent(registry: Registry, owner: Principal, agent: LocalAgent): Promise<void> {
  const present = await found(registry, agent);
  if (present === undefined) return register(registry, owner, agent);
  if (present.isSync !== agent.isSync) await registry.updateAgent(SYSTEM, present.id, { isSync: agent.isSync });
  if (!fits({ ...present, isSync: agent.isSync }, agent))
    await registry.setTaskCategories(SYSTEM, present.id, [agent.category]);
}

async function register(registry: Registry, owner: Principal, agent: LocalAgent): Promise<void> {
  try {
    await registry.registerAgent(owner, {
      name: agent.name,
      description: agent.description ?? '',
      executionType: 'flyte',
      flyteName: agent.name,
      isSync: agent.isSync,
      taskCategories: [agent.category],
    });
  } catch (error) {
    // Another replica that starts at the same moment may have been first.
    const first = toRollcallError(error).code === 'ALREADY_EXISTS' ? await found(registry, agent) : undefined;
    if (first === undefined || !fits(first, agent)) throw error;
  }
}
