import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { type Bytes, bytesOf } from './support/deployment.ts';
import { admin } from './support/published.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';
import { failure } from './support/routed.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/flyte-agent.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-flyte-agents-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cleanup = afterTheTest();

const AGENTS = `{ agents(filter: { executionType: [FLYTE] }) { nodes {
  id name description flyteName isSync status owner taskCategories { name version } deployments { id } } } }`;

const timer = (seconds: number) => ({
  template: { type: 'timer' },
  inputs: { literals: { seconds: { scalar: { primitive: { floatValue: seconds } } } } },
});
const TIMER = { taskCategory: { name: 'timer' } };

async function countWords(server: Registered, text?: string) {
  const identity = (bytes: Bytes): Bytes => bytes;
  const path = '/flyteidl.service.SyncAgentService/ExecuteTaskSync';
  const options = { deadline: Date.now() + 5_000 };
  const stream = server.published.client.makeBidiStreamRequest(path, identity, identity, new Metadata(), options);
  const answers: Bytes[] = [];
  stream.on('data', (bytes: Bytes) => answers.push(bytes));
  stream.on('error', () => undefined);
  const done = new Promise<{ code: number; details: string }>((resolve) => stream.on('status', resolve));
  const encode = (request: Parameters<typeof admin.ExecuteTaskSyncRequest.encode>[0]): Bytes =>
    bytesOf(admin.ExecuteTaskSyncRequest.encode(request).finish());
  stream.write(encode({ header: { template: { type: 'word_count' } } }));
  if (text !== undefined)
    stream.write(encode({ inputs: { literals: { text: { scalar: { primitive: { stringValue: text } } } } } }));
  stream.end();
  const { code, details } = await done;
  return {
    code,
    details,
    resource: answers.map((bytes) => admin.ExecuteTaskSyncResponse.decode(bytes).header?.resource)[0],
  };
}

describe('the example of FLYTE_AGENTS', () => {
  it('is in the graph and in ListAgents, and serves its tasks', async () => {
    const server = await startRegistered(cleanup, { FLYTE_AGENTS: EXAMPLE });
    expect(await server.listed()).toEqual(['Timer Agent', 'Word Count Agent']);
    const { agents } = await server.query(AGENTS);
    expect(agents.nodes).toMatchObject([
      {
        name: 'Timer Agent',
        flyteName: 'Timer Agent',
        description: 'Waits as many seconds as its task says.',
        isSync: false,
        taskCategories: [{ name: 'timer', version: 0 }],
        deployments: [],
      },
      { name: 'Word Count Agent', isSync: true },
    ]);
    const { flytePreview } = await server.query(
      '{ flytePreview { agents { categories { takesTasks } } warnings { kind } } }',
    );
    expect(flytePreview).toEqual({
      agents: [{ categories: [{ takesTasks: true }] }, { categories: [{ takesTasks: true }] }],
      warnings: [],
    });

    const { asyncService } = server;
    const running = await asyncService.createTask(timer(3_600));
    const { resource } = await asyncService.getTask({ resourceMeta: running.resourceMeta, ...TIMER });
    expect(resource).toMatchObject({ phase: 2, message: expect.stringContaining('seconds to go') });
    await asyncService.deleteTask({ resourceMeta: running.resourceMeta, ...TIMER });
    await asyncService.deleteTask({ resourceMeta: running.resourceMeta, ...TIMER });
    const over = await asyncService.createTask(timer(0));
    const ended = await asyncService.getTask({ resourceMeta: over.resourceMeta, ...TIMER });
    expect(ended.resource).toMatchObject({ phase: 3, state: 4, message: 'over' });
    expect(ended.resource?.outputs?.literals?.['waited']).toMatchObject({ scalar: { primitive: { floatValue: 0 } } });
    expect(await failure(asyncService.createTask(timer(-1)))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'seconds: must be from 0 to 86400',
    });
    expect(await failure(asyncService.getTask({ resourceMeta: Buffer.from('{}'), ...TIMER }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });

    const counted = await countWords(server, ' to be or  not\nto be ');
    expect(counted).toMatchObject({ code: status.OK, resource: { phase: 3 } });
    const { integer } = counted.resource?.outputs?.literals?.['words']?.scalar?.primitive ?? {};
    expect(Number(integer)).toBe(6);
    expect(await countWords(server)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'text: must be a string',
    });
  });

  it('takes no new tasks while it is inactive in the registry', async () => {
    const server = await startRegistered(cleanup, { FLYTE_AGENTS: EXAMPLE });
    const { agents } = await server.query(AGENTS);
    const running = await server.asyncService.createTask(timer(3_600));
    for (const { id } of agents.nodes)
      await server.mutate('setAgentStatus', 'SetAgentStatusInput', { id, status: 'INACTIVE' });
    await vi.waitFor(async () => expect(await server.listed()).toEqual([]), SOON);
    await vi.waitFor(
      async () =>
        expect(await failure(server.asyncService.createTask(timer(0)))).toMatchObject({
          code: status.FAILED_PRECONDITION,
          details: 'Agent "Timer Agent" is inactive: it takes no new tasks.',
        }),
      SOON,
    );
    expect((await countWords(server, 'x')).code).toBe(status.FAILED_PRECONDITION);
    const { resource } = await server.asyncService.getTask({ resourceMeta: running.resourceMeta, ...TIMER });
    expect(resource?.phase).toBe(2);
  });
});

describe('a category of an agent of this process', () => {
  it('that the registry gives to another agent is that one’s, and jobs stay where they were begun', async () => {
    const server = await startRegistered(cleanup, { FLYTE_AGENTS: EXAMPLE });
    const { asyncService } = server;
    const { agents } = await server.query(AGENTS);
    const { id } = agents.nodes.find(({ name }: { name: string }) => name === 'Timer Agent');
    const categories = (taskCategories: object[], agentId = id) =>
      server.mutate('setTaskCategories', 'SetTaskCategoriesInput', { agentId, taskCategories });
    const here = await asyncService.createTask(timer(3_600));
    await categories([]);
    await vi.waitFor(
      async () =>
        expect(await failure(asyncService.createTask(timer(0)))).toMatchObject({
          code: status.NOT_FOUND,
          details: 'Cannot find agent for task category: timer_v0.',
        }),
      SOON,
    );
    const a = await servingDeployment('a', cleanup);
    const other = await server.register('Other Timer', { taskCategories: [{ name: 'timer' }, { name: 'clock' }] });
    await server.deploy(other, a);
    const there = await vi.waitFor(() => asyncService.createTask(timer(3_600)), SOON);
    expect(a.count('createTask')).toBe(1);
    const messageOf = async ({ resourceMeta }: typeof here) =>
      (await asyncService.getTask({ resourceMeta, ...TIMER })).resource?.message;
    expect(await messageOf(here)).toContain('seconds to go');
    expect(await messageOf(there)).toBe('from a');

    await categories([{ name: 'clock' }], other);
    await categories([{ name: 'timer' }]);
    await vi.waitFor(async () => {
      await asyncService.createTask(timer(0));
      expect(a.count('createTask')).toBe(1);
    }, SOON);
    expect(await messageOf(there)).toBe('from a');
    await asyncService.deleteTask({ resourceMeta: there.resourceMeta, ...TIMER });
    expect(a.count('deleteTask')).toBe(1);
  });
});

describe('agents of this process', () => {
  it.each([
    ['no-such-file.mjs', undefined, /cannot be loaded/],
    ['list.mjs', 'export default [];', /must be a function/],
    ['throws.mjs', 'export default () => { throw new Error("no licence"); };', /failed: no licence/],
    ['nothing.mjs', 'export default () => [];', /must answer agents/],
    ['nameless.mjs', 'export default ({ SyncAgent }) => new (class extends SyncAgent {})();', /with name and category/],
    [
      'twice.mjs',
      `export default ({ SyncAgent }) => ['A', 'B'].map((name) => Object.assign(new (class extends SyncAgent {})(), { name, category: { name: 'x', version: 0 } }));`,
      /Duplicate agent for task type: x_v0/,
    ],
  ])('of a module that is wrong (%s) end the start with a clear message', async (name, text, message) => {
    const file = join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    await expect(startTestApp({ FLYTE_AGENTS: file })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      field: 'FLYTE_AGENTS',
      message: expect.stringMatching(message),
    });
  });
});
