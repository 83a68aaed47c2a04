import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import { type SdkAgent, startSdkAgent } from '../support/sdk-agent.ts';
import { failure, onCleanup } from './egress-support.ts';
import { call, executors, send, target, text } from './executor-support.ts';

const grpc = (agent: SdkAgent, tenant?: string) => ({
  url: agent.grpc!.address,
  binding: 'GRPC',
  protocolVersion: '1.0',
  dialect: '1.0' as const,
  ...(tenant === undefined ? {} : { tenant }),
});

const statesOf = (events: readonly StreamEvent[]) =>
  events.map(({ task, statusUpdate, artifactUpdate }) =>
    artifactUpdate === undefined
      ? (task ?? statusUpdate)?.status.state
      : artifactUpdate.artifact.parts.map((part) => part.text).join(''),
  );

describe("an agent on the A2A SDK's gRPC server", () => {
  let agent: SdkAgent;
  beforeEach(async () => {
    agent = await startSdkAgent({ grpc: true });
  });
  afterEach(() => agent.close());
  const to = (streaming: boolean, tenant?: string) => target({ interfaces: [grpc(agent, tenant)], streaming });

  it('streams its work, chunk by chunk', async () => {
    const events = await send(executors(), to(true), text('stream: one two three'));
    expect(statesOf(events)).toEqual(['submitted', 'working', 'one', 'two', 'three', 'completed']);
    expect(events[0]?.task?.history?.[0]).toMatchObject({
      messageId: 'm1',
      parts: [{ text: 'stream: one two three' }],
    });
  });

  it('is waited for when it does not stream', async () => {
    const events = await send(executors(), to(false), text('hello'));
    expect(statesOf(events)).toEqual(['completed']);
    expect(events[0]?.task?.artifacts).toMatchObject([{ parts: [{ text: 'echo: hello' }] }]);
  });

  it('is asked until its task rests, when it answered at once', async () => {
    const request = { ...text('wait'), configuration: { returnImmediately: true } };
    const sending = send(executors(), to(false), request);
    await agent.waiting();
    agent.release();
    const states = statesOf(await sending);
    expect(states.at(-1)).toBe('completed');
    expect(states.length).toBeGreaterThan(1);
  });

  it.each([true, false])('may answer with a message (streaming: %s)', async (streaming) => {
    expect(await send(executors(), to(streaming), text('message: hi'))).toMatchObject([
      { message: { role: 'agent', parts: [{ text: 'hi' }] } },
    ]);
  });

  it('asks back, and goes on with the answer', async () => {
    const all = executors();
    const asked = await send(all, to(true), text('ask: which one?'));
    const task = asked[0]!.task!;
    expect(statesOf(asked).at(-1)).toBe('input-required');
    const message = { ...text('stream: this').message, messageId: 'm2', taskId: task.id, contextId: task.contextId! };
    expect(statesOf(await send(all, to(true), { message })).slice(-2)).toEqual(['this', 'completed']);
  });

  it('is followed again, asked, and told to stop', async () => {
    const all = executors();
    const executor = all.forAgent(to(true).agent);
    const seen: StreamEvent[] = [];
    const sending = (async () => {
      for await (const event of executor.send(to(true), text('wait'), call())) seen.push(event);
    })();
    await expect.poll(() => statesOf(seen)).toEqual(['submitted', 'working']);
    const { id } = seen[0]!.task!;
    expect((await executor.get(to(true), id, call())).status.state).toBe('working');
    const again: StreamEvent[] = [];
    const following = (async () => {
      for await (const event of executor.resubscribe(to(true), id, call())) again.push(event);
    })();
    await expect.poll(() => again.length).toBeGreaterThan(0);
    expect((await executor.cancel(to(true), id, call())).status.state).toBe('canceled');
    await Promise.all([sending, following]);
    expect([statesOf(seen).at(-1), statesOf(again).at(-1)]).toEqual(['canceled', 'canceled']);
    expect(statesOf(again)[0]).toBe('working');
  });

  it("answers errors that keep A2A's reasons", async () => {
    const executor = executors().forAgent(to(true).agent);
    const error = await failure(executor.get(to(true), 'nobody', call()), 'TASK_NOT_FOUND', /nobody/);
    expect(error.details).toEqual({ upstreamCode: 'NOT_FOUND' });
    const [done] = await send(executors(), to(false), text('hello'));
    await failure(executor.cancel(to(true), done!.task!.id, call()), 'TASK_NOT_CANCELABLE');
  });

  it('gets version, extensions and tenant, and any JSON in metadata and data', async () => {
    const data = { a: [1, null, { b: 'c' }] };
    const message = { ...text('hello').message, metadata: { trace: data }, parts: [{ data }, { text: 'hello' }] };
    const [event] = await send(executors(), to(false, 'blue'), { message }, { extensions: ['urn:x', 'urn:y'] });
    expect(agent.grpc!.metadata[0]).toMatchObject({ 'a2a-version': '1.0', 'a2a-extensions': 'urn:x, urn:y' });
    expect(event?.task?.history?.[0]).toMatchObject({
      metadata: { trace: data },
      parts: [{ data }, { text: 'hello' }],
    });
  });

  it('is one of several interfaces, of which the first that we speak is used', async () => {
    const old = { ...grpc(agent), protocolVersion: '0.3', dialect: '0.3' as const };
    const json = { url: agent.rpcUrl, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' as const };
    const broken = { ...grpc(agent), url: 'grpc://user@127.0.0.1:1' };
    const calls = () => [agent.grpc!.metadata.length, agent.requests.length];
    await send(executors(), target({ interfaces: [old, broken, grpc(agent), json] }));
    expect(calls()).toEqual([1, 0]);
    await send(executors(), target({ interfaces: [json, grpc(agent)] }));
    expect(calls()).toEqual([1, 1]);
    // Credentials belong to the url's origin, which is that of the other interface.
    const both = { url: agent.rpcUrl, interfaces: [grpc(agent), json] };
    await send(executors(), target(both, { type: 'bearer', token: 'abc' }));
    expect(calls()).toEqual([1, 2]);
    expect(agent.requests[1]?.headers.authorization).toBe('Bearer abc');
    // gRPC has no query for a key.
    const anywhere = { url: null, interfaces: [grpc(agent), json] };
    await send(executors(), target(anywhere, { type: 'apiKey', in: 'query', name: 'key', value: 'abc' }));
    expect(calls()).toEqual([1, 3]);
  });
});

describe('credentials over gRPC', () => {
  const basic = `Basic ${Buffer.from('ü:p').toString('base64')}`;
  it.each([
    ['a bearer token', { type: 'bearer', token: 'abc' }, 'authorization', 'Bearer abc'],
    ['an API key', { type: 'apiKey', in: 'header', name: 'X-Key', value: 'abc' }, 'x-key', 'abc'],
    ['a password', { type: 'basic', username: 'ü', password: 'p' }, 'authorization', basic],
  ] as const)(
    '%s goes as metadata, and a refusal does not read like one of the caller',
    async (_what, credentials, name, value) => {
      const agent = await startSdkAgent({ grpc: (metadata) => metadata.get(name)[0] === value });
      onCleanup(() => agent.close());
      for (const streaming of [false, true]) {
        const it = { interfaces: [grpc(agent)], streaming };
        const events = await send(executors(), target(it, credentials));
        expect(statesOf(events).at(-1)).toBe('completed');
        const wrong = { ...credentials, token: 'no', value: 'no', password: 'no' };
        await failure(
          send(executors(), target(it, wrong)),
          'UPSTREAM_UNAUTHORIZED',
          /^Agent agent-one: 127\.0\.0\.1:\d+ refused the credentials that are stored with the agent.*\(gRPC UNAUTHENTICATED\).*updateAgent/,
        );
      }
    },
  );

  it('of another origin than the agent has are not sent', async () => {
    const agent = await startSdkAgent({ grpc: true });
    onCleanup(() => agent.close());
    const elsewhere = { url: 'http://127.0.0.1:9/', interfaces: [grpc(agent)] };
    await send(executors(), target(elsewhere, { type: 'bearer', token: 'abc' }));
    expect(agent.grpc!.metadata[0]).not.toHaveProperty('authorization');
  });

  it('that gRPC cannot carry are said to be so, without the secret', async () => {
    const agent = await startSdkAgent({ grpc: true });
    onCleanup(() => agent.close());
    for (const [credentials, message] of [
      [{ type: 'apiKey', in: 'query', name: 'key', value: 'hush' }, /query, which gRPC has not.*in: header/],
      [{ type: 'apiKey', in: 'header', name: 'X-Key', value: 'hush\n' }, /characters/],
      [{ type: 'apiKey', in: 'header', name: 'X!Key', value: 'hush' }, /go by a name/],
    ] as const) {
      const error = await failure(
        send(executors(), target({ interfaces: [grpc(agent)] }, credentials)),
        'FAILED_PRECONDITION',
        message,
      );
      expect(error.message + String(error.cause) + JSON.stringify(error)).not.toContain('hush');
    }
    expect(agent.grpc!.metadata).toEqual([]);
  });
});
