import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type FlyteServer, type FlyteServerOptions, startFlyteServer } from '../../src/flyte/server.ts';
import { ConnectorMetadataServiceClient } from '../../src/protocol/flyte/generated/flyteidl2/connector/service.ts';
import { HealthClient } from '../../src/protocol/flyte/generated/grpc/health/v1/health.ts';
import { ServerReflectionClient } from '../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { type RecordedLog, recordedLog } from './support/log.ts';
import { connectPublished } from './support/published.ts';
import { ROWS, RowSource, row } from './support/rows.ts';

const cleanup = afterTheTest();

async function start(
  source: RowSource,
  more: Partial<FlyteServerOptions> = {},
): Promise<{ server: FlyteServer; log: RecordedLog; published: ReturnType<typeof connectPublished> }> {
  const log = recordedLog();
  const server = await startFlyteServer({ source, host: '127.0.0.1', port: 0, log, ...more });
  const published = connectPublished(server.port);
  cleanup(() => server.close(0));
  cleanup(published.close);
  return { server, log, published };
}

const names = async (published: ReturnType<typeof connectPublished>): Promise<(string | null | undefined)[]> =>
  ((await published.metadataService.listAgents({})).agents ?? []).map((agent) => agent.name);

const failure = (promise: Promise<unknown>): Promise<ServiceError> =>
  promise.then(
    () => Promise.reject(new Error('the call succeeded')),
    (error: ServiceError) => error,
  );

function healthOf(port: number, service: string): Promise<number> {
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise<number>((resolve, reject) => {
    client.check({ service }, (error, response) => (error === null ? resolve(response.status) : reject(error)));
  }).finally(() => client.close());
}

const SERVICES = ['', 'flyteidl.service.AgentMetadataService', 'flyteidl2.connector.ConnectorMetadataService'];

describe('the metadata services, asked by the classes that Flyte publishes', () => {
  it('list every agent in the order that propeller needs', async () => {
    const { published } = await start(new RowSource(ROWS));
    expect(await names(published)).toEqual(['Bigquery Agent', 'Spark Agent', 'Boto Agent', 'ChatGPT Agent']);
  });

  it('give one agent by name', async () => {
    const { published } = await start(new RowSource(ROWS));
    const { agent } = await published.metadataService.getAgent({ name: 'ChatGPT Agent' });
    expect(agent).toMatchObject({
      name: 'ChatGPT Agent',
      isSync: true,
      supportedTaskTypes: ['chatgpt'],
      supportedTaskCategories: [{ name: 'chatgpt' }],
    });
  });

  it('answer NOT_FOUND with a clear text for an agent that does not exist', async () => {
    const { published } = await start(new RowSource(ROWS));
    const error = await failure(published.metadataService.getAgent({ name: 'Nobody' }));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details).toBe('Cannot find agent for name: Nobody. ListAgents names those there are.');
  });

  it('answer the second generation from the same rows', async () => {
    const { server } = await start(new RowSource(ROWS));
    const client = new ConnectorMetadataServiceClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    cleanup(() => client.close());
    const list = await new Promise<string[]>((resolve, reject) => {
      client.listConnectors({}, (error, response) =>
        error === null ? resolve(response.connectors.map((each) => each.name)) : reject(error),
      );
    });
    expect(list).toEqual(['Bigquery Agent', 'Spark Agent']);
    const one = await new Promise((resolve, reject) => {
      client.getConnector({ name: 'Spark Agent' }, (error, response) =>
        error === null ? resolve(response.connector?.supportedTaskCategories) : reject(error),
      );
    });
    expect(one).toMatchObject([
      { name: 'spark', version: 0 },
      { name: 'spark', version: 1 },
    ]);
  });

  it('show a change within a second, and read once for many changes', async () => {
    const source = new RowSource(ROWS);
    const { published } = await start(source);
    const before = source.reads;
    for (let at = 0; at < 50; at++) source.announce();
    source.change([row('Slurm Agent', false, ['slurm', 0])]);
    await vi.waitFor(async () => expect(await names(published)).toEqual(['Slurm Agent']), SOON);
    expect(source.reads - before).toBeLessThanOrEqual(2);
  });

  it('show a change that came while a read was under way', async () => {
    const source = new RowSource(ROWS);
    const { published } = await start(source);
    const held = Promise.withResolvers<void>();
    const old = source.rows;
    source.read = async () => {
      await held.promise;
      return old;
    };
    const reads = source.reads;
    source.announce();
    await vi.waitFor(() => expect(source.reads).toBe(reads + 1), SOON);
    source.read = async () => source.rows;
    source.change([row('Slurm Agent', false, ['slurm', 0])]);
    held.resolve();
    await vi.waitFor(async () => expect(await names(published)).toEqual(['Slurm Agent']), SOON);
  });
});

describe('a source that fails', () => {
  it('leaves the last good answer in place, and is asked again until it answers', async () => {
    const source = new RowSource(ROWS);
    const { published, log } = await start(source, { timings: { retryMs: 5, maxRetryMs: 20 } });
    source.read = () => Promise.reject(new Error('connection refused'));
    source.announce();
    await vi.waitFor(() => expect(source.reads).toBeGreaterThan(3), SOON);
    expect(await names(published)).toHaveLength(4);
    expect(log.lines.filter((line) => line.level === 'warn').length).toBeGreaterThan(2);
    source.rows = [row('Slurm Agent', false, ['slurm', 0])];
    source.read = async () => source.rows;
    await vi.waitFor(async () => expect(await names(published)).toEqual(['Slurm Agent']), SOON);
  });

  it('leaves the last good answer in place when it hangs', async () => {
    const source = new RowSource(ROWS);
    const { published } = await start(source, { timings: { listTimeoutMs: 20, retryMs: 5 } });
    source.read = () => new Promise(() => undefined);
    source.announce();
    await vi.waitFor(() => expect(source.reads).toBeGreaterThan(2), SOON);
    expect(await names(published)).toHaveLength(4);
  });

  it('does not keep the server from starting: it says UNAVAILABLE and NOT_SERVING until the first good read', async () => {
    const source = new RowSource(ROWS);
    source.read = () => Promise.reject(new Error('connection refused'));
    const { server, published } = await start(source, { timings: { retryMs: 5, maxRetryMs: 20 } });
    expect((await failure(published.metadataService.listAgents({}))).code).toBe(status.UNAVAILABLE);
    expect(await healthOf(server.port, '')).toBe(2);
    source.read = async () => source.rows;
    await vi.waitFor(async () => expect(await names(published)).toHaveLength(4), SOON);
    expect(await healthOf(server.port, '')).toBe(1);
  });
});

describe('health', () => {
  it('is SERVING for the server and for each service by name, and NOT_FOUND for others', async () => {
    const { server } = await start(new RowSource(ROWS));
    for (const service of SERVICES) expect(await healthOf(server.port, service), service).toBe(1);
    expect((await failure(healthOf(server.port, 'flyteidl.service.AdminService'))).code).toBe(status.NOT_FOUND);
  });

  it('turns to NOT_SERVING when the server drains, and a watch does not hold up its end', async () => {
    const { server } = await start(new RowSource(ROWS));
    const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    cleanup(() => client.close());
    const seen: number[] = [];
    const watch = client.watch({ service: '' });
    watch.on('data', (response: { status: number }) => seen.push(response.status));
    watch.on('error', () => undefined);
    await once(watch, 'data');
    const ended = once(watch, 'end');
    const begun = performance.now();
    await server.close(10_000);
    await ended;
    expect(performance.now() - begun).toBeLessThan(9_000);
    expect(seen).toEqual([1, 2]);
  });
});

const temporary = mkdtempSync(join(tmpdir(), 'rollcall-flyte-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const [key, cert] = [join(temporary, 'key.pem'), join(temporary, 'cert.pem')];
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
const made = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
  ...['-keyout', key, '-out', cert, ...subject],
]);
if (made.status !== 0) process.stderr.write('skipped: Flyte over TLS (openssl cannot make a certificate here)\n');

describe.skipIf(made.status !== 0)('over TLS', () => {
  it('answers clients that trust its certificate, and no plaintext ones', async () => {
    const tls = { cert: readFileSync(cert), key: readFileSync(key) };
    const { server, published } = await start(new RowSource(ROWS), { tls });
    const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createSsl(tls.cert), {
      'grpc.ssl_target_name_override': 'localhost',
    });
    cleanup(() => client.close());
    const answer = await new Promise((resolve, reject) => {
      client.check({ service: '' }, (error, response) => (error === null ? resolve(response.status) : reject(error)));
    });
    expect(answer).toBe(1);
    expect((await failure(published.metadataService.listAgents({}))).code).toBe(status.UNAVAILABLE);
  });
});

describe('the server', () => {
  it('takes no calls after close, unsubscribes, and closes once', async () => {
    const source = new RowSource(ROWS);
    const { server, published } = await start(source);
    expect(source.listeners.size).toBe(1);
    await Promise.all([server.close(1_000), server.close(1_000)]);
    expect(source.listeners.size).toBe(0);
    expect((await failure(published.metadataService.listAgents({}))).code).toBe(status.UNAVAILABLE);
  });

  it('stops in time although clients left their streams open and unread', async () => {
    const { server } = await start(new RowSource(ROWS));
    const messageRequest = { $case: 'fileByFilename', value: 'flyteidl/core/tasks.proto' } as const;
    for (const read of [1, 2, 3, 1, 2]) {
      const client = new ServerReflectionClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
      cleanup(() => client.close());
      const call = client.serverReflectionInfo();
      call.on('error', () => undefined);
      for (let at = 0; at < 3; at++) call.write({ host: '', messageRequest });
      let left = read;
      for await (const _ of call) if (--left === 0) break;
    }
    const begun = performance.now();
    await server.close(100);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('ends old connections without harm: new calls go over new ones, and streams that stay on end with the grace', async () => {
    const connections = { maxAgeMs: 100, maxAgeGraceMs: 300 };
    const { server, published } = await start(new RowSource(ROWS), { connections });
    const client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    cleanup(() => client.close());
    const watch = client.watch({ service: '' });
    const begun = performance.now();
    const ended = new Promise<ServiceError>((resolve) => watch.on('error', resolve));
    watch.on('data', () => undefined);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over) {
      expect(await names(published)).toHaveLength(4);
      // A moment for the connections to grow old.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ended).code).not.toBe(status.OK);
    expect(performance.now() - begun).toBeGreaterThan(300);
  });

  it('rejects when the port is taken, and leaves nothing behind', async () => {
    const { server } = await start(new RowSource(ROWS));
    const source = new RowSource(ROWS);
    const log = recordedLog();
    await expect(startFlyteServer({ source, host: '127.0.0.1', port: server.port, log })).rejects.toThrow();
    expect(source.listeners.size).toBe(0);
  });
});
