import { credentials } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { HealthClient } from '../../../src/protocol/flyte/generated/grpc/health/v1/health.ts';
import { ServerReflectionClient } from '../../../src/protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { afterTheTest } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { admin } from '../support/published.ts';
import { createRequest, deployment, encodeCreate, failure, route, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

const ROUTED = [
  'flyteidl.service.AsyncAgentService',
  'flyteidl.service.SyncAgentService',
  'flyteidl2.connector.AsyncConnectorService',
];

describe('a server that routes', () => {
  it('is SERVING for the routed services too, and lists them by reflection', async () => {
    const { server } = await startRouted([], cleanup);
    const health = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const reflection = new ServerReflectionClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    cleanup(() => [health, reflection].forEach((client) => void client.close()));
    for (const service of ROUTED) {
      const status = await new Promise((resolve, reject) =>
        health.check({ service }, (error, response) => (error === null ? resolve(response.status) : reject(error))),
      );
      expect(status).toBe(1);
    }
    const call = reflection.serverReflectionInfo();
    call.end({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    const [answer] = await call.toArray();
    const names = answer.messageResponse.value.service.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(ROUTED));
  });

  it('lets a call that runs end before it stops', async () => {
    const a = await deployment('a', cleanup);
    const finish = Promise.withResolvers<void>();
    const working = a.createTask;
    a.createTask = (call, callback) => void finish.promise.then(() => working(call, callback));
    const { server, raw } = await startRouted([route([a.row()])], cleanup);
    const running = raw('createTask', encodeCreate(createRequest()));
    await vi.waitFor(() => expect(a.requests).toHaveLength(1), SOON);
    const closed = server.close(5_000);
    finish.resolve();
    expect(admin.CreateTaskResponse.decode(await running).resourceMeta.length).toBeGreaterThan(0);
    await closed;
  });

  it('cuts off what still runs when the grace is over', async () => {
    const a = await deployment('a', cleanup);
    a.createTask = () => undefined;
    const { server, raw } = await startRouted([route([a.row()])], cleanup);
    const running = failure(raw('createTask', encodeCreate(createRequest())));
    await vi.waitFor(() => expect(a.requests).toHaveLength(1), SOON);
    await server.close(50);
    expect((await running).code).not.toBe(0);
  });

  it("takes messages of more than grpc's 4 MiB", async () => {
    const a = await deployment('a', cleanup);
    a.createTask = (call, callback) =>
      callback(
        null,
        Buffer.from(admin.CreateTaskResponse.encode({ resourceMeta: Buffer.from(`${call.request.length}`) }).finish()),
      );
    const { raw } = await startRouted([route([a.row()])], cleanup);
    // Field 3, output_prefix, of 8 MiB.
    const prefix = Buffer.concat([Buffer.from([0x1a, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(8 << 20, 97)]);
    const big = Buffer.concat([encodeCreate(createRequest()), prefix]);
    expect(await raw('createTask', big)).toBeDefined();
    expect(a.requests[0]?.bytes.length).toBe(big.length);
  });
});
