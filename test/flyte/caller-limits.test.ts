import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { readStatus } from '../../src/protocol/a2a/protobuf.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { SOON } from '../support/soon.ts';
import { spark } from './support/recorded.ts';
import { type Registered, startRegistered } from './support/registered.ts';
import { failure } from './support/routed.ts';

const cleanup = afterTheTest();
const same = (bytes: Buffer): Buffer => bytes;

/** What a refusal says besides its text. */
const detailsOf = ({ metadata }: ServiceError): unknown =>
  readStatus(metadata.get('grpc-status-details-bin')[0] as Buffer).details;

const RETRY = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: expect.stringMatching(/^\d+s$/) };

const logsOf = (server: Registered, request: Buffer) =>
  server.published.client.makeServerStreamRequest(
    '/flyteidl.service.AsyncAgentService/GetTaskLogs',
    same,
    same,
    request,
    new Metadata(),
  );

describe("what one address asks at Flyte's port", () => {
  it('is counted with what it asks elsewhere; listing goes on, since propeller would forget every type', async () => {
    const server = await startRegistered(cleanup, { RATE_LIMIT_PER_ADDRESS: '300' });
    const one = await spark(server, cleanup);
    const job = await one.create();
    let refused: ServiceError | undefined;
    for (let i = 0; i < 400 && refused === undefined; i++)
      refused = await server.asyncService.getTask(job).then(
        () => undefined,
        (error: ServiceError) => error,
      );
    expect(refused?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(refused?.details).toContain('RATE_LIMIT_PER_ADDRESS');
    expect(detailsOf(refused!)).toEqual(expect.arrayContaining([expect.objectContaining(RETRY)]));
    // Over another method and another door the address is the same one.
    const calls = Array.from({ length: 40 }, (_, attempt) => server.asyncService.createTask(one.given(attempt + 1)));
    const codes = (await Promise.allSettled(calls)).map((each) => each.status);
    expect(codes).toContain('rejected');
    for (let i = 0; i < 20; i++) expect(await server.listed()).toContain(`Agent of ${one.type}`);
  });

  it('streams so much at the same time; one that ends makes room', async () => {
    const server = await startRegistered(cleanup, { MAX_STREAMS_PER_CALLER: '2', RATE_LIMIT_PER_ADDRESS: '0' });
    const one = await spark(server, cleanup);
    const job = await one.create();
    const request = one.logsRequest(job);
    let open = 0;
    one.a.getTaskLogs = (call) => {
      open++;
      call.on('cancelled', () => open--);
    };
    const streams = [logsOf(server, request), logsOf(server, request)];
    for (const stream of streams) stream.on('error', () => undefined).resume();
    await vi.waitFor(() => expect(open).toBe(2), SOON);
    const third = new Promise((_, reject) => logsOf(server, request).on('error', reject).resume());
    const error = await failure(third);
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(detailsOf(error)).toEqual(expect.arrayContaining([expect.objectContaining(RETRY)]));
    streams[0]!.cancel();
    await vi.waitFor(() => expect(open).toBe(1), SOON);
    await vi.waitFor(async () => {
      const again = logsOf(server, request);
      again.on('error', () => undefined).resume();
      await vi.waitFor(() => expect(open).toBe(2), { timeout: 500, interval: 10 });
    }, SOON);
    // Calls that are no streams are not counted among them.
    expect((await server.asyncService.getTask(job)).resource?.phase).toBe(2);
  });
});
