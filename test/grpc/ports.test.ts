import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelCredentials, Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import type { App } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { HealthClient } from '../../src/protocol/flyte/generated/grpc/health/v1/health.ts';
import { ServerReflectionClient as V1 } from '../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { ServerReflectionClient as V1Alpha } from '../../src/protocol/flyte/generated/grpc/reflection/v1alpha/reflection.ts';
import { callReflected, reflectedServices } from '../flyte/support/reflected.ts';
import { servingDeployment, startRegistered } from '../flyte/support/registered.ts';
import { createRequest, failure } from '../flyte/support/routed.ts';
import { startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { selfSigned } from '../upstream/egress-certificate.ts';

const cleanup = afterTheTest();

async function start(settings: Record<string, string> = {}): Promise<App> {
  const app = await startTestApp(settings);
  cleanup(() => app.close());
  return app;
}

const A2A = 'lf.a2a.v1.A2AService';
const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1));

function healthClient(address: string, secured: ChannelCredentials = credentials.createInsecure()) {
  const client = new HealthClient(address, secured);
  cleanup(() => client.close());
  return (service: string): Promise<number> =>
    new Promise((resolve, reject) => {
      client.check({ service }, (error, answer) => (error === null ? resolve(answer.status) : reject(error)));
    });
}

/** The samples of a metric: its labels in braces → its value. */
async function samplesOf({ addresses: { url } }: App, name: string): Promise<Record<string, number>> {
  const text = await (await fetch(new URL('metrics', url))).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

describe("A2A's gRPC port", () => {
  it('tells its health, for the server and for the service, until it stops', async () => {
    const app = await start();
    const health = healthClient(app.addresses.grpc);
    for (const service of ['', A2A]) expect(await health(service), service).toBe(1);
    expect((await failure(health('lf.a2a.v1.NoService'))).code).toBe(status.NOT_FOUND);

    const client = new HealthClient(app.addresses.grpc, credentials.createInsecure());
    cleanup(() => client.close());
    const seen: number[] = [];
    const watch = client.watch({ service: A2A });
    watch.on('data', (response: { status: number }) => seen.push(response.status));
    watch.on('error', () => undefined);
    await once(watch, 'data');
    const ended = once(watch, 'end');
    await app.close();
    await ended;
    expect(seen).toEqual([1, 2]);
  });

  it.each([
    ['v1', V1],
    ['v1alpha', V1Alpha],
  ] as const)(
    'is described by reflection %s to a client that knows nothing, which can then call everything',
    async (_, reflection) => {
      const app = await start();
      const services = await reflectedServices(portOf(app.addresses.grpc), reflection);
      expect(services.map(({ typeName }) => typeName)).toEqual([
        A2A,
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
      ]);
      const client = new Client(app.addresses.grpc, credentials.createInsecure());
      cleanup(() => client.close());
      for (const service of services)
        for (const method of service.methods) {
          const { code, details } = await callReflected(client, method);
          const broken = [status.UNIMPLEMENTED, status.INTERNAL, status.UNKNOWN];
          expect(broken, `${method.name}: ${details}`).not.toContain(code);
        }
    },
  );

  it('stops although clients left streams open and unread', async () => {
    const app = await start();
    const messageRequest = { $case: 'fileContainingSymbol', value: A2A } as const;
    for (const read of [1, 2, 3]) {
      const client = new V1(app.addresses.grpc, credentials.createInsecure());
      cleanup(() => client.close());
      const call = client.serverReflectionInfo();
      call.on('error', () => undefined);
      for (let at = 0; at < 3; at++) call.write({ host: '', messageRequest });
      let left = read;
      for await (const _ of call) if (--left === 0) break;
    }
    await app.close();
  });

  it('counts its calls, and those that it refuses, by their codes', async () => {
    const app = await start({ MAX_BODY_BYTES: '1024' });
    const client = new Client(app.addresses.grpc, credentials.createInsecure());
    cleanup(() => client.close());
    const bytes = (value: Buffer): Buffer => value;
    const call = (request: Buffer, options: object = {}): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const path = `/${A2A}/GetTask`;
        client.makeUnaryRequest(path, bytes, bytes, request, new Metadata(), options, (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
    expect((await failure(call(Buffer.alloc(0)))).code).toBe(status.INVALID_ARGUMENT);
    expect((await failure(call(Buffer.alloc(2_000)))).code).toBe(status.RESOURCE_EXHAUSTED);
    await healthClient(app.addresses.grpc)('');
    await vi.waitFor(
      async () =>
        expect(await samplesOf(app, 'rollcall_grpc_request_seconds_count')).toEqual({
          [`{service="${A2A}",method="GetTask",code="INVALID_ARGUMENT"}`]: 1,
          [`{service="${A2A}",method="GetTask",code="RESOURCE_EXHAUSTED"}`]: 1,
          '{service="grpc.health.v1.Health",method="Check",code="OK"}': 1,
        }),
      SOON,
    );
  });
});

describe("Flyte's port", () => {
  it("counts calls about tasks, under our names and under flytekit's", async () => {
    const server = await startRegistered(cleanup);
    const { app, asyncService } = server;
    const a = await servingDeployment('a', cleanup);
    a.getTaskLogs = (call) => call.end();
    await server.deploy(await server.register('Spark Agent', { taskCategories: [{ name: 'spark' }] }), a);
    const { resourceMeta } = await vi.waitFor(() => asyncService.createTask(createRequest()), SOON);
    // While the agent, or its deployment, was not in the table yet.
    const failed = await samplesOf(app, 'flyte_connector_requests_failure_total');
    const job = { resourceMeta, taskCategory: { name: 'spark' } };
    await asyncService.getTask(job);
    await asyncService.getTask(job);
    a.deleteTask = (_call, callback) => callback({ code: status.PERMISSION_DENIED, details: 'no' });
    await failure(asyncService.deleteTask(job));
    expect((await failure(asyncService.createTask(createRequest({ type: 'made-up' })))).code).toBe(status.NOT_FOUND);

    const methodOf = (await reflectedServices(server.port)).flatMap(({ methods }) => methods);
    const logs = methodOf.find(({ name, parent }) => name === 'GetTaskLogs' && parent.typeName.startsWith('flyteidl.'));
    if (logs === undefined) throw new Error('GetTaskLogs is not described');
    await callReflected(server.published.client, logs, job);
    const sync = methodOf.find(({ name }) => name === 'ExecuteTaskSync');
    if (sync === undefined) throw new Error('ExecuteTaskSync is not described');
    const part = { case: 'header', value: { template: { type: 'spark' } } };
    expect((await callReflected(server.published.client, sync, { part })).code).toBe(status.FAILED_PRECONDITION);

    const labels = (type: string, operation: string) => `{task_type="${type}",operation="${operation}"`;
    await vi.waitFor(async () => {
      expect(await samplesOf(app, 'flyte_connector_requests_success_total')).toEqual({
        [`${labels('spark', 'create')}}`]: 1,
        [`${labels('spark', 'get')}}`]: 2,
        [`${labels('spark', 'get_logs')}}`]: 1,
      });
      const unknown = `${labels('unknown', 'create')},error_code="404"}`;
      expect(await samplesOf(app, 'flyte_connector_requests_failure_total')).toEqual({
        ...failed,
        [`${labels('spark', 'delete')},error_code="403"}`]: 1,
        [`${labels('spark', 'do')},error_code="400"}`]: 1,
        // Nobody can make up a label.
        [unknown]: 1 + (failed[unknown] ?? 0),
      });
      expect(await samplesOf(app, 'rollcall_flyte_task_request_seconds_count')).toMatchObject({
        [`${labels('spark', 'create')},code="OK"}`]: 1,
        [`${labels('spark', 'delete')},code="PERMISSION_DENIED"}`]: 1,
        [`${labels('spark', 'do')},code="FAILED_PRECONDITION"}`]: 1,
      });
      expect(await samplesOf(app, 'flyte_connector_request_latency_seconds_count')).toMatchObject({
        [`${labels('spark', 'get')}}`]: 2,
      });
      const inputs = await samplesOf(app, 'flyte_connector_input_literal_bytes_sum');
      expect(inputs['{task_type="spark"}']).toBeGreaterThan(10);
      expect(await samplesOf(app, 'rollcall_grpc_request_seconds_count')).toMatchObject({
        '{service="flyteidl.service.AsyncAgentService",method="GetTask",code="OK"}': 2,
      });
    }, SOON);
  });

  it('is shut with tokens until somebody is named whom Flyte acts as', async () => {
    const settings = { AUTH_MODE: 'jwt', AUTH_SECRET: 'a secret that is long enough to be one' };
    expect((await start(settings)).addresses.flyte).toBeUndefined();
    const named = { ...settings, FLYTE_PRINCIPAL: '11111111-1111-4111-8111-111111111111' };
    const { flyte } = (await start(named)).addresses;
    expect(await healthClient(flyte ?? '')('')).toBe(1);
    expect(readConfig(settings).FLYTE_PORT).toBeUndefined();
    expect(readConfig({}).FLYTE_PORT).toBe(8000);
  });

  it('is plaintext with FLYTE_TLS=false while the others speak TLS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-ports-tls-'));
    cleanup(() => rmSync(folder, { recursive: true }));
    const { key, cert } = selfSigned(['localhost']);
    const [TLS_KEY, TLS_CERT] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    writeFileSync(TLS_KEY, key);
    writeFileSync(TLS_CERT, cert);
    const { grpc, flyte } = (await start({ TLS_KEY, TLS_CERT, FLYTE_TLS: 'false' })).addresses;
    expect(await healthClient(`localhost:${portOf(flyte)}`)('')).toBe(1);
    expect(await healthClient(`localhost:${portOf(grpc)}`, credentials.createSsl(Buffer.from(cert)))('')).toBe(1);
    expect((await failure(healthClient(`localhost:${portOf(grpc)}`)(''))).code).toBe(status.UNAVAILABLE);
    expect(() => readConfig({ FLYTE_TLS: 'true' })).toThrow('FLYTE_TLS: true needs TLS_CERT and TLS_KEY');
  });
});
