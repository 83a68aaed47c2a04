import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentTask } from '../../../src/flyte/agents/agent.ts';
import { AgentRegistry } from '../../../src/flyte/agents/agent-registry.ts';
import { MMCloudAgent } from '../../../src/flyte/agents/mmcloud/agent.ts';
import { MMCloudMetadata } from '../../../src/flyte/agents/mmcloud/metadata.ts';
import { startFlyteServer } from '../../../src/flyte/server.ts';
import { TaskTemplate } from '../../../src/protocol/flyte/generated/flyteidl/core/tasks.ts';
import { FloatCli } from '../../../src/upstream/mmcloud/float.ts';
import { FakeFloat } from '../../support/fake-float/fake-float.ts';
import { recordedLog } from '../support/log.ts';
import { connectPublished, core } from '../support/published.ts';
import { failure, ownRoutes } from '../support/routed.ts';

let fake: FakeFloat;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  fake = new FakeFloat();
});
afterEach(async () => {
  for (const each of cleanups.splice(0).reverse()) await each();
  fake.remove();
});

function newAgent(credentials = fake.credentials) {
  const log = recordedLog();
  const agent = new MMCloudAgent(new FloatCli({ program: fake.program, credentials, log }), log);
  return { agent, log };
}

const CONTAINER = {
  image: 'img:1',
  env: [{ key: 'KEY', value: 'a value' }],
  args: ['pyflyte-execute', '--inputs', 's3://bucket/in puts'],
};
const CUSTOM = { resources: ['2', '4', '4', null], submit_extra: "--name 'my job' --vmPolicy [onDemand=true]" };

const task = (more: { custom?: object; container?: object | null; executionKey?: string } = {}): AgentTask => ({
  template: TaskTemplate.fromPartial({
    type: 'mmcloud_task',
    custom: more.custom ?? CUSTOM,
    ...(more.container === null ? {} : { target: { $case: 'container', value: { ...CONTAINER, ...more.container } } }),
  } as never),
  inputs: undefined,
  outputPrefix: 's3://bucket/out',
  metadata: undefined,
  executionKey: more.executionKey,
});
const signal = (): AbortSignal => AbortSignal.timeout(20_000);

describe('MMCloudMetadata', () => {
  it('is the JSON of flytekit, there and back', () => {
    expect(MMCloudMetadata.encode({ job_id: 'NPhpMGikM1HChWRjz2mID' }).toString()).toBe(
      '{"job_id":"NPhpMGikM1HChWRjz2mID"}',
    );
    expect(MMCloudMetadata.decode(Buffer.from('{"job_id": "x_-9", "more": 1}'))).toEqual({ job_id: 'x_-9' });
  });

  it.each([
    '{',
    'null',
    '[]',
    '{}',
    '{"job_id":1}',
    '{"job_id":""}',
    '{"job_id":"a b"}',
    `{"job_id":"${'x'.repeat(129)}"}`,
  ])('refuses %s', (text) => {
    expect(() => MMCloudMetadata.decode(Buffer.from(text))).toThrow('resource_meta: is not what CreateTask gave.');
  });
});

describe('a task', () => {
  it('becomes a job: resources, container and options', async () => {
    const { agent } = newAgent();
    const { job_id } = await agent.create(task(), signal());
    const [{ id, cpu, memGB, imageID, seen, customTags }] = fake.jobs() as [ReturnType<FakeFloat['jobs']>[number]];
    expect({ id, cpu, memGB, imageID, customTags }).toEqual({
      id: job_id,
      cpu: '2',
      memGB: '4',
      imageID: 'img:1',
      customTags: {},
    });
    expect(seen).toMatchObject({
      env: ['KEY=a value'],
      extra: ['--name', 'my job', '--vmPolicy', '[onDemand=true]'],
      script: "#!/bin/bash\npyflyte-execute --inputs 's3://bucket/in puts'\n",
    });
    expect(fake.calls('submit')[0]!.argv.slice(4, 8)).toEqual(['--cpu', '2:4', '--mem', '4']);
  });

  it('needs neither resources nor options', async () => {
    const { agent } = newAgent();
    await agent.create(task({ custom: {} }), signal());
    expect(fake.calls('submit')[0]!.argv.slice(4, 8)).toEqual(['--cpu', '1', '--mem', '1']);
  });

  it.each([
    [{ container: null }, 'template.container: is missing'],
    [{ container: { image: '' } }, 'template.container.image: is empty'],
    [{ custom: { resources: '2' } }, 'template.custom.resources: must be a list'],
    [{ custom: { resources: ['a lot'] } }, 'template.custom.resources: must be a quantity'],
    [{ custom: { resources: [4, 1, 2, 1] } }, 'cpu request cannot be greater than cpu limit'],
    [{ custom: { resources: [1, 4, 1, 2] } }, 'mem request cannot be greater than mem limit'],
    [{ custom: { submit_extra: 7 } }, 'template.custom.submit_extra: must be a text'],
    [{ custom: { submit_extra: "--name 'open" } }, "template.custom.submit_extra: has a ' that is not closed"],
    [{ custom: { submit_extra: '-a 10.9.9.9' } }, 'template.custom.submit_extra: must not contain -a'],
    [{ container: { args: ['a\u0000b'] } }, 'template: contains a NUL character'],
  ])('that makes no sense is refused before anything is run: %j', async (more, message) => {
    const { agent } = newAgent();
    await expect(agent.create(task(more), signal())).rejects.toThrow(message);
    expect(fake.calls()).toEqual([]);
  });

  it('is one job however often its attempt is created, by whichever server', async () => {
    const first = await newAgent().agent.create(task({ executionKey: 'run 1, attempt 0' }), signal());
    const again = await newAgent().agent.create(task({ executionKey: 'run 1, attempt 0' }), signal());
    const retry = await newAgent().agent.create(task({ executionKey: 'run 1, attempt 1' }), signal());
    expect(again).toEqual(first);
    expect(retry).not.toEqual(first);
    expect(fake.jobs()).toHaveLength(2);
  });
});

// TaskExecution.Phase, by Flyte's own names.
const P = core.TaskExecution.Phase;

describe('a job', () => {
  it.each([
    ['Submitted', P.QUEUED],
    ['Initializing', P.INITIALIZING],
    ['Starting', P.INITIALIZING],
    ['Executing', P.RUNNING],
    ['Capturing', P.RUNNING],
    ['Floating', P.RUNNING],
    ['Suspended', P.RUNNING],
    ['Suspending', P.RUNNING],
    ['Resuming', P.RUNNING],
    ['Completed', P.SUCCEEDED],
    ['Cancelled', P.ABORTED],
    ['Cancelling', P.ABORTED],
    ['FailToComplete', P.FAILED],
    ['FailToExecute', P.FAILED],
    ['CheckpointFailed', P.FAILED],
    ['Timedout', P.FAILED],
    ['NoAvailableHost', P.RETRYABLE_FAILED],
    ['WaitingForLicense', P.WAITING_FOR_RESOURCES],
  ])('that is %s has phase %i, and says so', async (word, phase) => {
    const { agent, log } = newAgent();
    const meta = await agent.create(task(), signal());
    fake.change(meta.job_id, { status: word });
    const resource = await agent.get(meta, signal());
    expect(resource.phase).toBe(phase);
    expect(resource.message).toBe(`MMCloud job ${meta.job_id}: ${word}.`);
    expect(resource.customInfo).toMatchObject({ status: word });
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it.each(['Unknown', 'Teleporting', 'constructor'])('that is %s counts as running, with a warning', async (word) => {
    const { agent, log } = newAgent();
    const meta = await agent.create(task(), signal());
    fake.change(meta.job_id, { status: word });
    const { phase, message } = await agent.get(meta, signal());
    expect({ phase, message }).toEqual({
      phase: P.RUNNING,
      message: `MMCloud job ${meta.job_id}: status ${word}, taken for running.`,
    });
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('that failed says how, and whether another try can help', async () => {
    const { agent } = newAgent();
    const meta = await agent.create(task(), signal());
    fake.change(meta.job_id, { status: 'FailToExecute', rc: '2' });
    expect(await agent.get(meta, signal())).toMatchObject({
      message: `MMCloud job ${meta.job_id}: FailToExecute, exit code 2.`,
      error: { code: 'FailToExecute', kind: 0 },
    });
    fake.change(meta.job_id, { status: 'NoAvailableHost' });
    expect(await agent.get(meta, signal())).toMatchObject({ error: { code: 'NoAvailableHost', kind: 1 } });
  });

  it('that is not there has failed', async () => {
    const { agent } = newAgent();
    expect(await agent.get({ job_id: 'nothing' }, signal())).toMatchObject({
      phase: P.FAILED,
      message: 'The MMCloud OpCenter knows no job nothing.',
      error: { code: 'JobNotFound' },
    });
  });

  it('is deleted as often as one likes, and also when it is not there', async () => {
    const { agent } = newAgent();
    const meta = await agent.create(task(), signal());
    await agent.delete(meta, signal());
    await agent.delete(meta, signal());
    await agent.delete({ job_id: 'nothing' }, signal());
    expect(fake.jobs()[0]!.status).toBe('Cancelled');
  });
});

describe("Flyte's own client", () => {
  const MMCLOUD = { taskCategory: { name: 'mmcloud_task', version: 0 } };

  async function start(credentials = fake.credentials) {
    const registry = new AgentRegistry();
    const { agent, log } = newAgent(credentials);
    registry.register(agent);
    const server = await startFlyteServer({
      source: registry,
      agents: registry,
      routing: ownRoutes(registry),
      host: '127.0.0.1',
      port: 0,
      log,
    });
    const published = connectPublished(server.port);
    cleanups.push(() => server.close(0), published.close);
    return { ...published, log };
  }

  const request = (attempt: number) => ({
    template: {
      type: 'mmcloud_task',
      container: CONTAINER,
      custom: {
        fields: {
          submit_extra: { stringValue: CUSTOM.submit_extra },
          resources: {
            listValue: {
              values: [{ stringValue: '2' }, { stringValue: '4' }, { stringValue: '4' }, { nullValue: 0 as const }],
            },
          },
        },
      },
    },
    outputPrefix: 's3://bucket/out',
    taskExecutionMetadata: {
      taskExecutionId: {
        taskId: { project: 'p', domain: 'd', name: 'task', version: 'v1' },
        nodeExecutionId: { nodeId: 'n0', executionId: { project: 'p', domain: 'd', name: 'run' } },
        retryAttempt: attempt,
      },
    },
  });

  it('lists, creates, watches and deletes', async () => {
    const { metadataService, asyncService } = await start();
    const { agent } = await metadataService.getAgent({ name: 'MMCloud Agent' });
    expect(agent).toMatchObject({ name: 'MMCloud Agent', isSync: false });
    const { resourceMeta } = await asyncService.createTask(request(0));
    const [job] = fake.jobs();
    expect(JSON.parse(Buffer.from(resourceMeta ?? []).toString())).toEqual({ job_id: job!.id });
    expect(fake.calls('submit')[0]!.argv.slice(4, 8)).toEqual(['--cpu', '2:4', '--mem', '4']);
    const phase = async () => (await asyncService.getTask({ resourceMeta, ...MMCLOUD })).resource?.phase;
    expect(await phase()).toBe(P.QUEUED);
    fake.change(job!.id, { status: 'Executing', workingHost: '10.0.0.9' });
    const { resource } = await asyncService.getTask({ resourceMeta, ...MMCLOUD });
    expect(resource).toMatchObject({ phase: P.RUNNING, message: `MMCloud job ${job!.id}: Executing.` });
    expect(resource?.customInfo?.fields?.['workingHost']?.stringValue).toBe('10.0.0.9');
    await asyncService.deleteTask({ resourceMeta, ...MMCLOUD });
    await asyncService.deleteTask({ resourceMeta, ...MMCLOUD });
    expect(await phase()).toBe(P.ABORTED);
  });

  it('creates one job per attempt, by one login', async () => {
    const { asyncService } = await start();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => asyncService.createTask(request(i % 10))));
    expect(new Set(answers.map(({ resourceMeta }) => Buffer.from(resourceMeta ?? []).toString())).size).toBe(10);
    expect(fake.jobs()).toHaveLength(10);
    expect(fake.logins()).toEqual({ asked: 1, loggedIn: 1 });
  });

  it('sees the last known phase while the OpCenter fails', async () => {
    const { asyncService } = await start();
    const { resourceMeta } = await asyncService.createTask(request(0));
    fake.fault('show', 'garbage');
    expect((await asyncService.getTask({ resourceMeta, ...MMCLOUD })).resource?.phase).toBe(P.QUEUED);
  });

  it('is told what is wrong, and never the password', async () => {
    const wrong = await start({ ...fake.credentials, username: 'nobody' });
    const denied = await failure(wrong.asyncService.createTask(request(0)));
    expect(denied.code).toBe(status.UNAVAILABLE);
    const right = await start();
    fake.fault('submit', 'blab', 2);
    const blabbed = await failure(right.asyncService.createTask(request(0)));
    expect(blabbed.code).toBe(status.INTERNAL);
    expect(blabbed.details).toContain('password=(secret)');
    const told = JSON.stringify([denied, denied.message, blabbed, blabbed.message, wrong.log.lines, right.log.lines]);
    expect(told).not.toContain(fake.password.split(' ').at(-1));
    const bad = await failure(
      right.asyncService.getTask({ resourceMeta: Buffer.from('{"job_id":"; rm"}'), ...MMCLOUD }),
    );
    expect(bad.code).toBe(status.INVALID_ARGUMENT);
  });
});
