import { describe, expect, test } from 'vitest';
import { announceAgents } from '../../../src/app/flyte-agents.ts';
import { newId } from '../../../src/database/ids.ts';
import { SyncAgent } from '../../../src/flyte/agents/agent.ts';
import { AgentRegistry } from '../../../src/flyte/agents/agent-registry.ts';
import { TaskExecution_Phase as Phase } from '../../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { DRIVERS } from '../../support/database.ts';
import { failure, sharedRegistry, someone } from '../../support/registry.ts';

class EchoAgent extends SyncAgent {
  readonly name: string;
  readonly category: { readonly name: string; readonly version: number };
  constructor(name: string, category: string) {
    super();
    this.name = name;
    this.category = { name: category, version: 0 };
  }
  async do() {
    return { phase: Phase.SUCCEEDED };
  }
}

function agentsOf(...agents: readonly (readonly [name: string, category: string])[]): AgentRegistry {
  const registry = new AgentRegistry();
  for (const [name, category] of agents) registry.register(new EchoAgent(name, category));
  return registry;
}

describe.each(DRIVERS)('agents of this process (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const found = async (name: string) =>
    (await shared().registry.flyteAgents(someone())).find(({ flyteName }) => flyteName === name);

  test('are registered once, by replicas that start at the same moment too', async () => {
    const [owner, name] = [someone(), `Echo ${newId()}`];
    const { registry } = shared();
    await Promise.all([1, 2, 3].map(() => announceAgents(registry, owner, agentsOf([name, name]))));
    expect(await found(name)).toMatchObject({
      executionType: 'flyte',
      isSync: true,
      owner: owner.subject,
      categories: [{ name, version: 0 }],
    });
  });

  test('keep what was set of them, and get the category that they have now', async () => {
    const [owner, name] = [someone(), `Echo ${newId()}`];
    const { registry } = shared();
    await announceAgents(registry, owner, agentsOf([name, name]));
    const { id } = (await found(name))!;
    await registry.updateAgent(owner, id, { description: 'changed', status: 'deprecated', isSync: false });
    await announceAgents(registry, someone(), agentsOf([name, `${name} 2`]));
    expect(await found(name)).toMatchObject({ id, isSync: true, categories: [{ name: `${name} 2`, version: 0 }] });
    const { revision, description, status } = await registry.agent(owner, id);
    expect({ description, status }).toEqual({ description: 'changed', status: 'deprecated' });
    await announceAgents(registry, someone(), agentsOf([name, `${name} 2`]));
    expect((await registry.agent(owner, id)).revision).toBe(revision);
  });

  test('whose category another agent has are refused, naming both', async () => {
    const [owner, category] = [someone(), newId()];
    const { registry, agent } = shared();
    const other = await agent(owner, { flyteName: newId(), taskCategories: [{ name: category }] });
    const error = await failure(announceAgents(registry, owner, agentsOf(['Late Agent', category])));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', field: 'FLYTE_AGENTS' });
    expect((error as Error).message).toContain('Late Agent cannot be registered');
    expect((error as Error).message).toContain(`belongs to the agent ${other.handle}`);
  });
});
