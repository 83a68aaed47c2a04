import { describe, expect, it, vi } from 'vitest';
import { type AgentResource, AsyncAgent } from '../../../src/flyte/agents/agent.ts';
import { TaskExecution_Phase as Phase } from '../../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { toLiterals } from '../../../src/protocol/flyte/literals.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { INPUT, TASK } from '../support/recorded.ts';
import { startRegistered } from '../support/registered.ts';
import { createRequest } from '../support/routed.ts';

const cleanup = afterTheTest();

class MemoryAgent extends AsyncAgent<{ readonly job: string }> {
  readonly name = 'Memory Agent';
  readonly category = { name: 'memory', version: 0 };
  resource: AgentResource = { phase: Phase.RUNNING, message: 'on it' };
  deleted = 0;
  async create() {
    return { job: '1' };
  }
  async get() {
    return this.resource;
  }
  async delete() {
    this.deleted += 1;
  }
  parseMeta() {
    return { job: '1' };
  }
}

describe("tasks of Flyte's agents in this process", () => {
  it('are recorded, kept with inputs and outputs where that is configured, and cancelled', async () => {
    const agent = new MemoryAgent();
    const server = await startRegistered(cleanup, { FLYTE_STORE_IO: 'true' }, { flyteAgents: [agent] });
    const tasks = async () => (await server.query(`{ tasks { nodes { ${TASK} } } }`)).tasks.nodes;
    const create = (run: string) => server.asyncService.createTask(createRequest({ type: 'memory', run }));
    const { resourceMeta } = await vi.waitFor(() => create('one'), SOON);
    const job = { resourceMeta, taskCategory: { name: 'memory', version: 0 } };
    await vi.waitFor(async () => expect((await tasks())[0]?.history[0].parts[1]).toMatchObject({ text: INPUT }), SOON);
    agent.resource = { phase: Phase.SUCCEEDED, outputs: toLiterals({ o0: 'an output' }) };
    await server.asyncService.getTask(job);
    await vi.waitFor(async () => {
      expect((await tasks())[0]).toMatchObject({
        state: 'COMPLETED',
        artifacts: [{ artifactId: 'outputs', parts: [{ text: 'an output' }] }],
      });
    }, SOON);
    await create('two');
    const second = await vi.waitFor(async () => {
      const [newest] = await tasks();
      expect(newest).toMatchObject({ state: 'SUBMITTED', agent: { flyteName: 'Memory Agent' } });
      return newest;
    }, SOON);
    const cancel = 'mutation($input: CancelTaskInput!) { cancelTask(input: $input) { state } }';
    expect((await server.query(cancel, { input: { id: second.id } })).cancelTask).toEqual({ state: 'CANCELED' });
    expect(agent.deleted).toBe(1);
  });
});
