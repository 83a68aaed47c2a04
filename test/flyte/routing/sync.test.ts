import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../../support/cleanup.ts';
import { bytesOf } from '../support/deployment.ts';
import { admin } from '../support/published.ts';
import { deployment, route, startRouted } from '../support/routed.ts';

const cleanup = afterTheTest();

const BOTO = { agent: 'Boto Agent', isSync: true, categories: [{ name: 'boto', version: 0 }] };
const header = (type = 'boto') =>
  bytesOf(admin.ExecuteTaskSyncRequest.encode({ header: { template: { type }, outputPrefix: 's3://out' } }).finish());
const inputs = (name: string) =>
  bytesOf(
    admin.ExecuteTaskSyncRequest.encode({ inputs: { literals: { [name]: { hash: 'x'.repeat(50_000) } } } }).finish(),
  );

type Routed = Awaited<ReturnType<typeof startRouted>>;

function open(routed: Routed, deadlineMs = 5_000) {
  const identity = (bytes: Buffer): Buffer => bytes;
  const path = '/flyteidl.service.SyncAgentService/ExecuteTaskSync';
  const options = { deadline: Date.now() + deadlineMs };
  const stream = routed.published.client.makeBidiStreamRequest(path, identity, identity, new Metadata(), options);
  const answers: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => answers.push(bytes));
  stream.on('error', () => undefined);
  const done = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
  return { stream, answers, done };
}

async function execute(routed: Routed, messages: readonly Buffer[], deadlineMs?: number) {
  const { stream, answers, done } = open(routed, deadlineMs);
  for (const message of messages) stream.write(message);
  stream.end();
  const { code, details } = await done;
  return { code, details, answers };
}

describe('ExecuteTaskSync', () => {
  it('passes header, inputs and the result on, byte for byte', async () => {
    const a = await deployment('a', cleanup);
    const routed = await startRouted([route([a.row()], BOTO)], cleanup);
    const unknown = Buffer.from([0xfa, 0x7c, 0x03, 0x66, 0x6f, 0x6f]);
    const sent = [Buffer.concat([header(), unknown]), ...Array.from({ length: 20 }, (_, at) => inputs(`i${at}`))];
    const { code, answers } = await execute(routed, sent);
    expect(code).toBe(status.OK);
    expect(a.requests.map((request) => request.bytes)).toEqual(sent);
    expect(answers).toHaveLength(1);
    const { resource } = admin.ExecuteTaskSyncResponse.decode(answers[0] ?? Buffer.of()).header ?? {};
    expect(resource).toMatchObject({ phase: 3, message: 'from a' });
  });

  it('gives the first answer before the caller has sent everything', async () => {
    const a = await deployment('a', cleanup);
    a.executeTaskSync = (call) => {
      call.on('data', (bytes: Buffer) => call.write(bytes));
      call.on('end', () => call.end());
    };
    const routed = await startRouted([route([a.row()], BOTO)], cleanup);
    const { stream, done } = open(routed);
    for (const message of [header(), inputs('a'), inputs('b')]) {
      const echoed = new Promise((resolve) => stream.once('data', resolve));
      stream.write(message);
      expect(await echoed).toEqual(message);
    }
    stream.end();
    expect((await done).code).toBe(status.OK);
  });

  it('goes to another deployment when one cannot be reached', async () => {
    const [a, b] = [await deployment('a', cleanup), await deployment('b', cleanup)];
    a.stop();
    const routed = await startRouted([route([a.row(), b.row()], BOTO)], cleanup);
    for (let at = 0; at < 5; at++) {
      const { answers } = await execute(routed, [header(), inputs('x')]);
      expect(admin.ExecuteTaskSyncResponse.decode(answers[0] ?? Buffer.of()).header?.resource?.message).toBe('from b');
    }
  });

  it('passes an error on, after the answers that came before it', async () => {
    const a = await deployment('a', cleanup);
    a.executeTaskSync = (call) => {
      call.write(header());
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'quota' });
    };
    const routed = await startRouted([route([a.row()], BOTO)], cleanup);
    const { code, details, answers } = await execute(routed, [header()]);
    expect({ code, details }).toEqual({ code: status.RESOURCE_EXHAUSTED, details: 'quota' });
    expect(answers).toEqual([header()]);
  });

  it('cancels at the deployment when the caller does', async () => {
    const a = await deployment('a', cleanup);
    const [arrived, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    a.executeTaskSync = (call) => {
      call.on('data', () => arrived.resolve());
      call.on('cancelled', () => cancelled.resolve());
    };
    const routed = await startRouted([route([a.row()], BOTO)], cleanup);
    // A deadline within the test's time would end the call as well.
    const { stream, done } = open(routed, 60_000);
    stream.write(header());
    await arrived.promise;
    stream.cancel();
    expect((await done).code).toBe(status.CANCELLED);
    await cancelled.promise;
  });

  it('says why it cannot be routed', async () => {
    const a = await deployment('a', cleanup);
    const routed = await startRouted([route([a.row()], BOTO), route([a.row()])], cleanup);
    expect(await execute(routed, [])).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'header: must be the first message; the stream ended without one.',
    });
    expect(await execute(routed, [inputs('x')])).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'header: must be the first message.',
    });
    expect(await execute(routed, [header('')])).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await execute(routed, [header('nobody')])).toMatchObject({
      code: status.NOT_FOUND,
      details: 'Cannot find agent for task category: nobody_v0.',
    });
    expect(await execute(routed, [header('spark')])).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'Task category spark_v0 belongs to the async agent "Spark Agent": call CreateTask.',
    });
    expect(a.requests).toEqual([]);
  });

  it("ends by the caller's deadline at a deployment that hangs", async () => {
    const a = await deployment('a', cleanup);
    a.executeTaskSync = () => undefined;
    const routed = await startRouted([route([a.row()], BOTO)], cleanup);
    expect((await execute(routed, [header()], 300)).code).toBe(status.DEADLINE_EXCEEDED);
  });
});
