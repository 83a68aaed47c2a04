import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { type AgentResource, type AgentTask, AsyncAgent, SyncAgent } from '../../../src/flyte/agents/agent.ts';
import { AgentRegistry } from '../../../src/flyte/agents/agent-registry.ts';
import { phaseOfState } from '../../../src/flyte/agents/phases.ts';
import { startFlyteServer } from '../../../src/flyte/server.ts';
import { TaskExecution_Phase as Phase } from '../../../src/protocol/flyte/generated/flyteidl/core/execution.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { bytesOf } from '../support/deployment.ts';
import { recordedLog } from '../support/log.ts';
import { admin, connectPublished } from '../support/published.ts';
import { createRequest, failure, ownRoutes } from '../support/routed.ts';

const cleanup = afterTheTest();

type JobMeta = { readonly job: string };

/** An agent whose jobs are kept in memory. */
class MemoryAgent extends AsyncAgent<JobMeta> {
  readonly name = 'Spark Agent';
  readonly category = { name: 'spark', version: 0 };
  readonly jobs = new Map<string, AgentResource>();
  readonly tasks: AgentTask[] = [];
  broken = false;

  async create(task: AgentTask): Promise<JobMeta> {
    if (this.broken) throw new Error('login failed for user with password hunter2');
    this.tasks.push(task);
    const job = `job-${this.tasks.length}`;
    this.jobs.set(job, {
      phase: Phase.RUNNING,
      message: 'running',
      logLinks: [{ name: 'log', uri: 'http://logs.example' }],
    });
    return { job };
  }

  async get({ job }: JobMeta): Promise<AgentResource> {
    if (this.broken) throw new Error('connection lost');
    return this.jobs.get(job) ?? { phase: Phase.FAILED, message: 'no such job' };
  }

  async delete({ job }: JobMeta): Promise<void> {
    this.jobs.delete(job);
  }

  parseMeta(value: unknown): JobMeta {
    return { job: String((value as Partial<JobMeta>).job) };
  }

  override async getLogs() {
    return { lines: ['one\n', 'two\n'], token: 'next' };
  }
}

class EchoAgent extends SyncAgent {
  readonly name = 'Echo Agent';
  readonly category = { name: 'echo', version: 0 };
  result: AgentResource = { phase: Phase.SUCCEEDED };
  async do({ inputs }: AgentTask): Promise<AgentResource> {
    return inputs === undefined ? this.result : { ...this.result, outputs: inputs };
  }
}

async function start() {
  const registry = new AgentRegistry();
  const [memory, echo] = [new MemoryAgent(), new EchoAgent()];
  registry.register(memory);
  registry.register(echo);
  const log = recordedLog();
  const server = await startFlyteServer({
    source: registry,
    agents: registry,
    routing: ownRoutes(registry),
    host: '127.0.0.1',
    port: 0,
    log,
  });
  const published = connectPublished(server.port);
  cleanup(() => server.close(0));
  cleanup(published.close);
  return { registry, memory, echo, log, published, asyncService: published.asyncService };
}

const SPARK = { taskCategory: { name: 'spark', version: 0 } };
const identity = (bytes: Buffer): Buffer => bytes;

describe('an async agent of this process', () => {
  it('is listed, and creates, reports and deletes its jobs', async () => {
    const { published, asyncService, memory } = await start();
    expect((await published.metadataService.listAgents({})).agents?.map(({ name }) => name)).toEqual([
      'Spark Agent',
      'Echo Agent',
    ]);
    const { resourceMeta } = await asyncService.createTask(createRequest({ run: 'r1' }));
    expect(Buffer.from(resourceMeta ?? []).toString()).toBe('{"job":"job-1"}');
    expect(memory.tasks[0]).toMatchObject({ template: { type: 'spark' }, outputPrefix: 's3://bucket/out' });
    const { resource } = await asyncService.getTask({ resourceMeta, ...SPARK });
    expect(resource).toMatchObject({
      phase: 2,
      state: 3,
      message: 'running',
      logLinks: [{ uri: 'http://logs.example' }],
    });
    await asyncService.deleteTask({ resourceMeta, ...SPARK });
    await asyncService.deleteTask({ resourceMeta, ...SPARK });
    expect(memory.jobs.size).toBe(0);
  });

  it('creates one job per attempt', async () => {
    const { asyncService, memory } = await start();
    await Promise.all([1, 2, 3].map(() => asyncService.createTask(createRequest({ run: 'r1' }))));
    expect(memory.tasks).toHaveLength(1);
  });

  it('shows the last known phase while it fails, and never what it threw', async () => {
    const { asyncService, memory, log } = await start();
    const { resourceMeta } = await asyncService.createTask(createRequest());
    memory.broken = true;
    expect((await asyncService.getTask({ resourceMeta, ...SPARK })).resource?.phase).toBe(1);
    const error = await failure(asyncService.createTask(createRequest()));
    expect(error).toMatchObject({ code: status.INTERNAL, details: 'The agent failed; the log has the details.' });
    const fields = { agent: 'Spark Agent', operation: 'createTask' };
    expect(log.lines.filter(({ level }) => level === 'error').at(-1)).toMatchObject({ fields });
  });

  it('never shows a phase that is none: the last known one, and what is wrong', async () => {
    const { asyncService, memory } = await start();
    const wrong = 'Agent "Spark Agent" gave a job whose field "phase" is none of Phase.';
    const { resourceMeta } = await asyncService.createTask(createRequest());
    const unknown = Buffer.from('{"job":"unknown"}');
    const answers = [{}, { phase: 0 }, { phase: 9 }, { phase: -1 }, { phase: 2.5 }, { phase: 'RUNNING' }, null];
    for (const answer of answers) {
      memory.get = async () => answer as never;
      const { resource } = await asyncService.getTask({ resourceMeta, ...SPARK });
      expect(resource).toMatchObject({ phase: 1, state: 2, message: `${wrong} This is the last known phase.` });
      const { code, details } = await failure(asyncService.getTask({ resourceMeta: unknown, ...SPARK }));
      expect({ code, details }, JSON.stringify(answer)).toEqual({ code: status.INTERNAL, details: wrong });
    }
  });

  it('says that the metadata of a job cannot be written, to the caller and in the log', async () => {
    const { asyncService, memory, log } = await start();
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    const details = 'Agent "Spark Agent" created a job whose metadata cannot be written as JSON.';
    for (const meta of [undefined, { id: 1n }, cycle]) {
      memory.create = async () => meta as never;
      expect(await failure(asyncService.createTask(createRequest()))).toMatchObject({ code: status.INTERNAL, details });
    }
    const line = { level: 'error', fields: { agent: 'Spark Agent', operation: 'createTask' } };
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([line, line, line]);
  });

  it('refuses bytes that are no such message, wherever they break, as the mistake of the caller', async () => {
    const { published, asyncService, log } = await start();
    const { resourceMeta } = await asyncService.createTask(createRequest());
    const field = (tag: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
    // A field that says to be longer than what there is: what routes the request is before it, and in order.
    const cut = Buffer.of(0x0a, 0x7f);
    const template = (more: Buffer): Buffer => Buffer.concat([field(0x12, Buffer.from('spark')), more]);
    const job = (tag: number): Buffer =>
      Buffer.concat([field(0x12, Buffer.from(resourceMeta ?? [])), field(tag, field(0x0a, Buffer.from('spark')))]);
    const requests: Record<string, Buffer> = {
      // container, an interface within, and inputs.
      CreateTask: field(0x12, template(field(0x32, cut))),
      // queries (3) that are not UTF-8 strings of that length.
      GetTaskMetrics: Buffer.concat([job(0x3a), Buffer.of(0x25, 1, 2, 3)]),
      GetTaskLogs: Buffer.concat([job(0x2a), Buffer.of(0x1a, 0x7f)]),
    };
    for (const [method, request] of Object.entries(requests)) {
      const path = `/flyteidl.service.AsyncAgentService/${method}`;
      const call = new Promise<unknown>((_, reject) => {
        if (method === 'GetTaskLogs') {
          const stream = published.client.makeServerStreamRequest(path, identity, identity, request);
          stream.on('error', reject).resume();
        } else published.client.makeUnaryRequest(path, identity, identity, request, (error) => reject(error));
      });
      expect((await failure(call)).code, method).toBe(status.INVALID_ARGUMENT);
    }
    const stream = published.client.makeBidiStreamRequest(
      '/flyteidl.service.SyncAgentService/ExecuteTaskSync',
      identity,
      identity,
    );
    const ended = new Promise<unknown>((_, reject) => stream.on('error', reject).resume());
    const echo = field(0x12, Buffer.from('echo'));
    stream.write(field(0x0a, field(0x0a, Buffer.concat([echo, field(0x32, cut)]))));
    stream.end();
    expect((await failure(ended)).code).toBe(status.INVALID_ARGUMENT);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('puts its logs on the wire, the lines and where the next page begins', async () => {
    const { published, asyncService } = await start();
    const { resourceMeta } = await asyncService.createTask(createRequest());
    const request = bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta, ...SPARK }).finish());
    const stream = published.client.makeServerStreamRequest(
      '/flyteidl.service.AsyncAgentService/GetTaskLogs',
      identity,
      identity,
      request,
    );
    const parts = (await stream.toArray()).map((bytes: Buffer) => admin.GetTaskLogsResponse.decode(bytes));
    expect(parts[0]?.body?.structuredLines?.map(({ message }: { message?: string | null }) => message)).toEqual([
      'one\n',
      'two\n',
    ]);
    expect(parts[1]?.header?.token).toBe('next');
  });

  it('answers UNIMPLEMENTED for what it does not have, and INVALID_ARGUMENT for a job that is none', async () => {
    const { asyncService } = await start();
    const resourceMeta = Buffer.from('{"job":"x"}');
    expect((await failure(asyncService.getTaskMetrics({ resourceMeta, ...SPARK }))).code).toBe(status.UNIMPLEMENTED);
    expect((await failure(asyncService.getTask({ resourceMeta: Buffer.from('{'), ...SPARK }))).code).toBe(
      status.INVALID_ARGUMENT,
    );
    expect(await failure(asyncService.createTask(createRequest({ type: 'echo' })))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: '"Echo Agent" is a sync agent: call ExecuteTaskSync.',
    });
    expect((await failure(asyncService.createTask(createRequest({ type: 'nobody' })))).code).toBe(status.NOT_FOUND);
  });
});

describe('a sync agent of this process', () => {
  const execute = async (published: ReturnType<typeof connectPublished>, type = 'echo') => {
    const path = '/flyteidl.service.SyncAgentService/ExecuteTaskSync';
    const stream = published.client.makeBidiStreamRequest(path, identity, identity);
    stream.write(bytesOf(admin.ExecuteTaskSyncRequest.encode({ header: { template: { type } } }).finish()));
    stream.write(bytesOf(admin.ExecuteTaskSyncRequest.encode({ inputs: { literals: { x: { hash: 'h' } } } }).finish()));
    stream.end();
    return (await stream.toArray()).map((bytes: Buffer) => admin.ExecuteTaskSyncResponse.decode(bytes));
  };

  it('gives its whole result in the first message', async () => {
    const { published } = await start();
    const answers = await execute(published);
    expect(answers).toHaveLength(1);
    const resource = answers[0]?.header?.resource;
    expect(resource?.phase).toBe(3);
    expect(resource?.outputs?.literals?.x?.hash).toBe('h');
  });

  it('is refused when its result is not final', async () => {
    const { published, echo } = await start();
    echo.result = { phase: Phase.RUNNING };
    expect((await failure(execute(published))).details).toContain('not final');
  });
});

describe('AgentRegistry', () => {
  it('refuses a second agent for a category or a name, and finds agents by both', () => {
    const registry = new AgentRegistry();
    const agent = new MemoryAgent();
    registry.register(agent);
    expect(() => registry.register(new MemoryAgent())).toThrow('Duplicate agent for task type: spark_v0');
    expect(registry.get({ name: 'spark', version: 0 })).toBe(agent);
    expect(registry.getByName('Spark Agent')).toBe(agent);
    expect(() => registry.get({ name: 'spark', version: 1 })).toThrow('Cannot find agent for task category: spark_v1.');
    expect(() => registry.getByName('Nobody')).toThrow('Cannot find agent for name: Nobody.');
    expect(registry.unregister(agent.category)).toBe(true);
    expect(registry.unregister(agent.category)).toBe(false);
    registry.register(new MemoryAgent());
  });

  it('shows what is registered and unregistered while the server runs', async () => {
    const { registry, published } = await start();
    const names = async () => (await published.metadataService.listAgents({})).agents?.map(({ name }) => name);
    registry.unregister({ name: 'echo', version: 0 });
    await vi.waitFor(async () => expect(await names()).toEqual(['Spark Agent']), SOON);
  });
});

describe('phaseOfState', () => {
  it('reads the words of flytekit in any case, and refuses others', () => {
    expect(['FAILED', 'Timeout', 'cancelled', 'skipped'].map(phaseOfState)).toEqual(Array(4).fill(Phase.FAILED));
    expect(['done', 'Succeeded', 'success', 'completed'].map(phaseOfState)).toEqual(Array(4).fill(Phase.SUCCEEDED));
    expect(['running', 'terminating', 'pending', 'internal_error'].map(phaseOfState)).toEqual([
      Phase.RUNNING,
      Phase.RUNNING,
      Phase.INITIALIZING,
      Phase.RETRYABLE_FAILED,
    ]);
    expect(() => phaseOfState('constructor')).toThrow('Unrecognized state: constructor');
  });
});
