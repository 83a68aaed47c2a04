import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { LOCAL_USER } from '../../src/auth/principal.ts';
import { AsyncAgent } from '../../src/flyte/agents/agent.ts';
import { TaskExecution_Phase as Phase } from '../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { ASYNC, type Bytes, bytesOf, CONNECTOR } from './support/deployment.ts';
import { admin } from './support/published.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';
import { createRequest, deployment, encodeCreate, failure, route, startRouted } from './support/routed.ts';

const cleanup = afterTheTest();

/** What every agent here gives for its first job. */
const META = '{"id":1}';
const TYPES = ['one', 'two'] as const;
type Type = (typeof TYPES)[number];

/** How the jobs of the two categories stand, and which were deleted. */
class Jobs {
  readonly phases: Record<Type, typeof Phase.RUNNING | typeof Phase.SUCCEEDED> = {
    one: Phase.RUNNING,
    two: Phase.RUNNING,
  };
  readonly away = new Set<Type>();
  readonly deleted: Type[] = [];
}

class MemoryAgent extends AsyncAgent<{ readonly id: number }> {
  readonly name: string;
  readonly category: { readonly name: Type; readonly version: number };
  readonly #jobs: Jobs;
  constructor(type: Type, jobs: Jobs) {
    super();
    this.name = `Agent ${type}`;
    this.category = { name: type, version: 0 };
    this.#jobs = jobs;
  }
  async create() {
    return { id: 1 };
  }
  async get() {
    if (this.#jobs.away.has(this.category.name)) throw new Error('away');
    return { phase: this.#jobs.phases[this.category.name] };
  }
  async delete() {
    this.#jobs.deleted.push(this.category.name);
  }
  parseMeta() {
    return { id: 1 };
  }
}

async function startInProcess(jobs: Jobs): Promise<Registered> {
  return startRegistered(cleanup, {}, { flyteAgents: TYPES.map((type) => new MemoryAgent(type, jobs)) });
}

/** One agent with both categories, at one deployment. */
async function startDeployed(generation: number, jobs: Jobs): Promise<Registered> {
  const server = await startRegistered(cleanup);
  const a = await servingDeployment('a', cleanup);
  const typeOf = (request: Bytes): Type => admin.GetTaskRequest.decode(request).taskCategory?.name as Type;
  a.createTask = (_call, callback) =>
    callback(null, bytesOf(admin.CreateTaskResponse.encode({ resourceMeta: Buffer.from(META) }).finish()));
  a.getTask = ({ request }, callback) => {
    const type = typeOf(request);
    const resource = { phase: jobs.phases[type] };
    if (jobs.away.has(type)) callback({ code: status.UNAVAILABLE, details: 'away' });
    else callback(null, bytesOf(admin.GetTaskResponse.encode({ resource }).finish()));
  };
  a.deleteTask = ({ request }, callback) => {
    jobs.deleted.push(typeOf(request));
    callback(null, Buffer.alloc(0));
  };
  const agentId = await server.register('Agent');
  await server.deploy(agentId, a, { generation, timeouts: { getTask: 1_000 } });
  const categories = TYPES.map((name) => ({ name, version: 0 }));
  await server.app.core.registry.setTaskCategories(LOCAL_USER, agentId, categories);
  return server;
}

/** Propeller's calls of that generation. */
function callsOf({ published }: Registered, generation: number) {
  const service = generation === 1 ? ASYNC : CONNECTOR;
  const call = (method: keyof typeof ASYNC, request: Uint8Array): Promise<Bytes> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = service[method];
      published.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        bytesOf(request),
        (error, response) => (error === null ? resolve(response ?? Buffer.alloc(0)) : reject(error)),
      );
    });
  return {
    async create(type: Type) {
      const request = encodeCreate(createRequest({ type, run: randomUUID() }));
      const response = await vi.waitFor(() => call('createTask', request), SOON);
      const { resourceMeta } = admin.CreateTaskResponse.decode(response);
      return { resourceMeta, taskCategory: { name: type, version: 0 } };
    },
    phase: async (job: object) => {
      const response = await call('getTask', admin.GetTaskRequest.encode(job).finish());
      return admin.GetTaskResponse.decode(response).resource?.phase;
    },
    remove: (job: object) => call('deleteTask', admin.DeleteTaskRequest.encode(job).finish()),
  };
}

describe.each([
  ['of two agents of this process', 1, startInProcess],
  ['of two categories of a deployment, in the first generation', 1, (jobs: Jobs) => startDeployed(1, jobs)],
  ['of two categories of a deployment, in the second generation', 2, (jobs: Jobs) => startDeployed(2, jobs)],
] as const)('jobs %s with the same resource_meta', (_name, generation, start) => {
  it('neither see, end, cancel nor delete each other', async () => {
    const jobs = new Jobs();
    const server = await start(jobs);
    const calls = callsOf(server, generation);
    const states = async () => {
      const { nodes } = (await server.query('{ tasks { nodes { id state metadata } } }')).tasks;
      return new Map<string, any>(nodes.map((task: any) => [task.metadata?.flyte.taskType, task]));
    };
    const inGraph = (expected: Record<Type, string>) =>
      vi.waitFor(async () => {
        const found = await states();
        expect(Object.fromEntries([...found].map(([type, { state }]) => [type, state]))).toEqual(expected);
        return found;
      }, SOON);
    const one = await calls.create('one');
    const two = await calls.create('two');
    expect(two.resourceMeta).toEqual(one.resourceMeta);
    await inGraph({ one: 'SUBMITTED', two: 'SUBMITTED' });

    expect(await calls.phase(one)).toBe(Phase.RUNNING);
    await inGraph({ one: 'WORKING', two: 'SUBMITTED' });
    jobs.phases.one = Phase.SUCCEEDED;
    expect(await calls.phase(one)).toBe(Phase.SUCCEEDED);
    await inGraph({ one: 'COMPLETED', two: 'SUBMITTED' });
    // Nobody asked for it before: it was created, and nothing else is known.
    jobs.away.add('two');
    expect(await calls.phase(two)).toBe(Phase.QUEUED);

    await calls.remove(one);
    expect(jobs.deleted).toEqual(['one']);
    expect(await calls.phase(two)).toBe(Phase.QUEUED);
    jobs.away.delete('two');
    expect(await calls.phase(two)).toBe(Phase.RUNNING);
    const { id } = (await inGraph({ one: 'COMPLETED', two: 'WORKING' })).get('two');
    const cancel = 'mutation($input: CancelTaskInput!) { cancelTask(input: $input) { state } }';
    expect((await server.query(cancel, { input: { id } })).cancelTask).toEqual({ state: 'CANCELED' });
    expect(jobs.deleted).toEqual(['one', 'two']);
    await inGraph({ one: 'COMPLETED', two: 'CANCELED' });
  });
});

describe('jobs of two agents that were created before Rollcall stood there', () => {
  it('do not get the last phase of each other', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    const quick = { timeoutsMs: { getTask: 300 } };
    const other = { agent: 'Other Agent', categories: [{ name: 'other', version: 0 }] };
    const rows = [route([a.row(quick)]), route([b.row(quick)], other)];
    const { asyncService } = await startRouted(rows, cleanup);
    const resourceMeta = Buffer.from(META);
    await asyncService.getTask({ resourceMeta, taskType: 'spark' });
    a.stop();
    b.stop();
    const known = await asyncService.getTask({ resourceMeta, taskCategory: { name: 'spark', version: 0 } });
    expect(known.resource?.phase).toBe(Phase.RUNNING);
    const unknown = asyncService.getTask({ resourceMeta, taskCategory: { name: 'other', version: 0 } });
    expect((await failure(unknown)).code).toBe(status.UNAVAILABLE);
  });
});
