import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { App } from '../../../src/app.ts';
import { LOCAL_USER } from '../../../src/auth/principal.ts';
import { startTestApp } from '../../support/app.ts';
import { type SdkAgent, startSdkAgent } from '../../support/sdk-agent.ts';
import { SOON } from '../../support/soon.ts';
import { TestDeployment } from '../support/deployment.ts';
import { connectPublished, core } from '../support/published.ts';
import { failure } from '../support/routed.ts';

const P = core.TaskExecution.Phase;
const S = core.SimpleType;

let app: App;
let sdk: SdkAgent;
let published: ReturnType<typeof connectPublished>;

beforeAll(async () => {
  sdk = await startSdkAgent();
  app = await startTestApp();
  published = connectPublished(Number(app.addresses.flyte?.split(':').at(-1)));
  const echo = await app.core.registry.agentByHandle(LOCAL_USER, 'echo');
  await app.core.registry.updateAgent(LOCAL_USER, echo!.id, { flyteName: 'Echo Agent' });
  await app.core.registry.setTaskCategories(LOCAL_USER, echo!.id, [{ name: 'echo_task', version: 0 }]);
  await app.core.registry.registerAgent(LOCAL_USER, {
    name: 'Third party',
    handle: 'third',
    flyteName: 'Third Agent',
    executionType: 'a2a',
    interfaces: [{ url: sdk.rpcUrl, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' }],
    taskCategories: [{ name: 'third_task', version: 3 }],
  } as never);
  await vi.waitFor(() => create('third_task', 'warm up', { version: 3 }), SOON);
});
afterAll(async () => {
  published.close();
  await app.close();
  await sdk.close();
});

const literal = (primitive: object) => ({ scalar: { primitive } });
const text = (stringValue: string) => ({ literals: { prompt: literal({ stringValue }) } });
const outputsOf = (types: Record<string, object>) => ({
  outputs: { variables: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])) },
});
const STRING = { simple: S.STRING };

interface More {
  readonly version?: number;
  readonly outputs?: Record<string, object>;
  readonly run?: string;
}

async function create(type: string, input: string | object, { version = 0, outputs = { o0: STRING }, run }: More = {}) {
  const node = { nodeId: 'n0', executionId: { project: 'p', domain: 'd', name: run ?? '' } };
  const { resourceMeta } = await published.asyncService.createTask({
    inputs: typeof input === 'string' ? text(input) : { literals: input as never },
    template: { type, taskTypeVersion: version, interface: outputsOf(outputs) },
    outputPrefix: 's3://bucket/out',
    taskExecutionMetadata: run === undefined ? null : { taskExecutionId: { nodeExecutionId: node } },
  });
  return { resourceMeta, taskCategory: { name: type, version } };
}
type Job = Awaited<ReturnType<typeof create>>;

const taskIdOf = ({ resourceMeta }: Job): string =>
  JSON.parse(Buffer.from(resourceMeta ?? []).toString()).rollcall_task;
const look = async (job: Job) => (await published.asyncService.getTask(job)).resource!;
/** Asks until the phase is one of these. */
const until = (job: Job, ...phases: number[]) =>
  vi.waitFor(async () => {
    const resource = await look(job);
    expect(phases).toContain(resource.phase);
    return resource;
  }, SOON);
const done = (job: Job) => until(job, P.SUCCEEDED, P.FAILED, P.ABORTED);

describe('an agent without a deployment', () => {
  it('is listed, and its tasks are taken', async () => {
    const { agents } = await published.metadataService.listAgents({});
    const categories = agents?.flatMap(({ supportedTaskCategories }) => supportedTaskCategories ?? []);
    expect(categories?.map(({ name, version }) => `${name} ${version}`)).toEqual(
      expect.arrayContaining(['echo_task 0', 'third_task 3']),
    );
    const preview = await app.core.registry.flytePreview(LOCAL_USER, app.core.flyte);
    expect(preview.warnings.filter(({ kind }) => kind === 'noDeployment')).toEqual([]);
    expect(preview.agents.flatMap(({ categories: each }) => each.map(({ takesTasks }) => takesTasks))).toEqual([
      true,
      true,
    ]);
  });

  it('gets a text as text and gives it back', async () => {
    const job = await create('echo_task', 'good day');
    const resource = await done(job);
    expect(resource).toMatchObject({ phase: P.SUCCEEDED, message: `Task ${taskIdOf(job)} is completed.` });
    expect(resource.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('good day');
    expect(resource.customInfo?.fields?.['taskId']?.stringValue).toBe(taskIdOf(job));
  });

  it('is a third party, reached by A2A', async () => {
    const resource = await done(await create('third_task', 'hello', { version: 3 }));
    expect(resource.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('echo: hello');
  });

  it('gets what is no text as data, by the names of the inputs', async () => {
    const inputs = {
      count: literal({ integer: 7 }),
      ratio: literal({ floatValue: 0.5 }),
      deep: { literals: {}, map: { literals: { a: { collection: { literals: [literal({ boolean: true })] } } } } },
      free: { scalar: { generic: { fields: { x: { numberValue: 1 }, y: { stringValue: 'z' } } } } },
      none: { scalar: { noneType: {} } },
    };
    const job = await create('echo_task', inputs, { outputs: { o0: { simple: S.STRUCT } } });
    const resource = await done(job);
    const task = await app.core.tasks.get(LOCAL_USER, taskIdOf(job));
    expect(task.task.history?.[0]?.parts).toEqual([
      { data: { count: 7, ratio: 0.5, deep: { a: [true] }, free: { x: 1, y: 'z' }, none: null } },
    ]);
    expect(resource.phase).toBe(P.SUCCEEDED);
    expect(resource.outputs?.literals?.['o0']?.scalar?.generic?.fields?.['count']?.numberValue).toBe(7);
  });

  it('gives the outputs that the task declares, each of its type', async () => {
    const inputs = {
      count: literal({ integer: 7 }),
      words: { collection: { literals: [literal({ stringValue: 'a' }), literal({ stringValue: 'b' })] } },
    };
    const outputs = { count: { simple: S.INTEGER }, words: { collectionType: STRING } };
    const { literals } = (await done(await create('echo_task', inputs, { outputs }))).outputs!;
    expect(Object.keys(literals!).toSorted()).toEqual(['count', 'words']);
    expect(Number(literals!['count']!.scalar?.primitive?.integer)).toBe(7);
    expect(literals!['words']!.collection?.literals?.map(({ scalar }) => scalar?.primitive?.stringValue)).toEqual([
      'a',
      'b',
    ]);
  });

  it('gives an artifact by its name', async () => {
    const outputs = { artifact: { simple: S.INTEGER } };
    const { literals } = (await done(await create('echo_task', 'artifact: 42', { outputs }))).outputs!;
    expect(Number(literals!['artifact']!.scalar?.primitive?.integer)).toBe(42);
  });

  it('gives the text of an artifact that came in pieces, and a message as it is', async () => {
    const streamed = await done(await create('echo_task', 'stream: a b c'));
    expect(streamed.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('abc');
    const said = await done(await create('echo_task', 'message: only words'));
    expect(said.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('only words');
  });

  it('fails a task whose outputs are not what it declares', async () => {
    const wrong = await done(await create('echo_task', 'words', { outputs: { o0: { simple: S.INTEGER } } }));
    expect(wrong).toMatchObject({
      phase: P.FAILED,
      message: 'outputs.o0: what the agent gave cannot be read as integer.',
      agentError: { code: 'UPSTREAM_INVALID', kind: 0 },
    });
    const missing = await done(await create('echo_task', 'words', { outputs: { a: STRING, b: STRING } }));
    expect(missing.message).toBe('outputs.a: the agent gave no artifact of that name.');
  });

  it('needs no outputs where none are declared', async () => {
    const resource = await done(await create('echo_task', 'words', { outputs: {} }));
    expect(resource.phase).toBe(P.SUCCEEDED);
    expect(resource.outputs?.literals).toEqual({});
  });

  it('fails with what the agent says', async () => {
    const job = await create('third_task', 'fail: no luck', { version: 3 });
    expect(await done(job)).toMatchObject({
      phase: P.FAILED,
      message: `Task ${taskIdOf(job)} is failed: no luck`,
      agentError: { code: 'failed' },
    });
  });

  it('runs on while it waits for somebody, and ends when they answer in any door', async () => {
    const job = await create('third_task', 'ask: which colour?', { version: 3 });
    await vi.waitFor(
      async () => expect((await look(job)).message).toBe(`Task ${taskIdOf(job)} waits for input: which colour?`),
      SOON,
    );
    expect((await look(job)).phase).toBe(P.RUNNING);
    const { task } = await app.core.tasks.get(LOCAL_USER, taskIdOf(job));
    const third = await app.core.registry.agentByHandle(LOCAL_USER, 'third');
    await app.core.tasks.send(LOCAL_USER, third!.id, {
      message: { messageId: 'answer', role: 'user', taskId: task.id, parts: [{ text: 'blue' }] },
    });
    const resource = await done(job);
    expect(resource.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('echo: blue');
  });

  it('is one task however often its attempt is created', async () => {
    const before = sdk.executions();
    const jobs = await Promise.all([1, 2, 3].map(() => create('third_task', 'once', { version: 3, run: 'run-a' })));
    expect(new Set(jobs.map(taskIdOf)).size).toBe(1);
    await done(jobs[0]!);
    expect(sdk.executions()).toBe(before + 1);
    const other = await create('third_task', 'once', { version: 3, run: 'run-b' });
    expect(taskIdOf(other)).not.toBe(taskIdOf(jobs[0]!));
  });

  it('is cancelled by DeleteTask, as often as one likes', async () => {
    const job = await create('third_task', 'wait', { version: 3 });
    await sdk.waiting();
    await until(job, P.RUNNING);
    await published.asyncService.deleteTask(job);
    await published.asyncService.deleteTask(job);
    expect((await done(job)).phase).toBe(P.ABORTED);
    const over = await create('echo_task', 'words');
    await done(over);
    await published.asyncService.deleteTask(over);
    expect((await done(over)).phase).toBe(P.SUCCEEDED);
  });

  it('answers for a task that is not there', async () => {
    const meta = { rollcall_task: '019a0000-0000-7000-8000-000000000000', outputs: {} };
    const job = { resourceMeta: Buffer.from(JSON.stringify(meta)), taskCategory: { name: 'echo_task', version: 0 } };
    expect(await look(job)).toMatchObject({ phase: P.FAILED, agentError: { code: 'TASK_NOT_FOUND' } });
    await published.asyncService.deleteTask(job);
    for (const bad of ['{"rollcall_task":1}', '{"rollcall_task":"x","outputs":{}}', '{"rollcall_task":']) {
      expect((await failure(published.asyncService.getTask({ ...job, resourceMeta: Buffer.from(bad) }))).code).toBe(
        status.INVALID_ARGUMENT,
      );
    }
  });

  it('refuses an input that is not in the message, and a new task while it is inactive', async () => {
    const offloaded = { x: { offloadedMetadata: { uri: 's3://bucket/x' } } };
    expect(await failure(create('echo_task', offloaded))).toMatchObject({ code: status.INVALID_ARGUMENT });
    const third = await app.core.registry.agentByHandle(LOCAL_USER, 'third');
    const running = await create('third_task', 'wait', { version: 3 });
    await sdk.waiting();
    await app.core.registry.setAgentStatus(LOCAL_USER, third!.id, 'inactive');
    const refused = await vi.waitFor(() => failure(create('third_task', 'late', { version: 3 })), SOON);
    expect(refused.code).toBe(status.FAILED_PRECONDITION);
    sdk.release();
    expect((await done(running)).phase).toBe(P.SUCCEEDED);
    await app.core.registry.setAgentStatus(LOCAL_USER, third!.id, 'active');
  });

  it('keeps the tasks that it has when it gets a deployment, which takes the new ones', async () => {
    const agent = await app.core.registry.registerAgent(LOCAL_USER, {
      name: 'Moves',
      flyteName: 'Moving Agent',
      executionType: 'a2a',
      interfaces: [{ url: sdk.rpcUrl, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' }],
      taskCategories: [{ name: 'moving_task', version: 0 }],
    } as never);
    const job = await vi.waitFor(() => create('moving_task', 'before'), SOON);
    const deployment = await new TestDeployment('d1').start();
    try {
      await app.core.registry.registerDeployment(LOCAL_USER, agent.id, {
        endpoint: `127.0.0.1:${deployment.port}`,
        tls: false,
      } as never);
      await vi.waitFor(async () => {
        await create('moving_task', 'after');
        expect(deployment.count('createTask')).toBe(1);
      }, SOON);
      const resource = await done(job);
      expect(resource.outputs?.literals?.['o0']?.scalar?.primitive?.stringValue).toBe('echo: before');
      expect(deployment.count('getTask')).toBe(0);
    } finally {
      deployment.stop();
    }
  });
});
