import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { failure, httpServer } from './egress-support.ts';
import { call, done, executors, rpcAgent, send, target, text } from './executor-support.ts';

const sse = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

describe('an A2A agent', () => {
  it('is spoken to in 1.0, with version, extensions and the tenant of its interface', async () => {
    const agent = await rpcAgent(() => done);
    const to = target({
      url: agent.url,
      interfaces: [
        { url: 'host:1', binding: 'GRPC', protocolVersion: '0.3', dialect: '0.3' },
        { url: `${agent.url}/rpc`, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0', tenant: 'blue' },
      ],
    });
    const events = await send(executors(), to, text('hi'), { extensions: ['urn:x', 'urn:y'] });
    expect(events).toMatchObject([{ task: { id: 't1', status: { state: 'completed' } } }]);
    expect(agent.requests[0]).toMatchObject({
      path: '/rpc',
      headers: { 'a2a-version': '1.0', 'a2a-extensions': 'urn:x, urn:y', 'content-type': 'application/json' },
    });
    expect(agent.calls[0]).toMatchObject({ method: 'SendMessage', params: { tenant: 'blue' } });
  });

  it('gets and gives members that no version of A2A knows', async () => {
    const agent = await rpcAgent(() => ({ task: { ...done.task, 'x-note': { deep: [1] } } }));
    const message = { ...text('hi').message, 'x-trace': 'abc' };
    const [event] = await send(executors(), target({ url: agent.url }), { message });
    expect(agent.calls[0]!.params['message']).toMatchObject({ 'x-trace': 'abc' });
    expect(event!.task).toMatchObject({ 'x-note': { deep: [1] } });
  });

  it('is asked until its task rests, when it does not stream', async () => {
    let asked = 0;
    const agent = await rpcAgent(({ method }) => {
      const state = method === 'GetTask' && ++asked === 3 ? 'TASK_STATE_COMPLETED' : 'TASK_STATE_WORKING';
      const task = { id: 't1', status: { state } };
      return method === 'GetTask' ? task : { task };
    });
    const events = await send(executors(), target({ url: agent.url }));
    expect(events.map((event) => event.task?.status.state)).toEqual(['working', 'working', 'working', 'completed']);
  });

  it('is asked on, while nobody is there to be asked, and given up in the end', async () => {
    let down = 0;
    const agent = await rpcAgent(({ method }, _request, response) => {
      if (method !== 'GetTask') return { task: { id: 't1', status: { state: 'TASK_STATE_WORKING' } } };
      if (down++ < 3) return void response.writeHead(503).end();
      return { id: 't1', status: { state: 'TASK_STATE_COMPLETED' } };
    });
    expect((await send(executors(), target({ url: agent.url }))).at(-1)?.task?.status.state).toBe('completed');
    down = Number.NEGATIVE_INFINITY;
    const impatient = executors({ timing: { first: 5, longest: 10, patience: 60 } });
    await failure(
      send(impatient, target({ url: agent.url })),
      'UPSTREAM_UNREACHABLE',
      /^Agent agent-one: (?!.*Agent).*HTTP 503.* could not be asked/,
    );
  });

  it('is asked for its task when its stream breaks off', async () => {
    const agent = await rpcAgent(({ id, method }, _request, response) => {
      if (method === 'GetTask') return { id: 't1', status: { state: 'TASK_STATE_COMPLETED' } };
      sse(response);
      const result = { task: { id: 't1', status: { state: 'TASK_STATE_WORKING' } } };
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`, () => response.destroy());
      return undefined;
    });
    const events = await send(executors(), target({ url: agent.url, streaming: true }));
    expect(events.map((event) => event.task?.status.state)).toEqual(['working', 'completed']);
  });

  it('may answer in one piece although it said that it streams', async () => {
    const agent = await rpcAgent(() => done);
    expect(await send(executors(), target({ url: agent.url, streaming: true }))).toMatchObject([
      { task: { id: 't1' } },
    ]);
  });

  it('has said nothing when its stream ends before the first event', async () => {
    const agent = await rpcAgent((_rpc, _request, response) => void sse(response).end(': nothing\n\n'));
    await failure(
      send(executors(), target({ url: agent.url, streaming: true })),
      'UPSTREAM_INVALID',
      /^Agent agent-one: its stream ended without/,
    );
  });

  it.each([
    ['a JSON-RPC error', 200, { error: { code: -32602, message: 'bad part' } }, 'INVALID_INPUT', /bad part/],
    ['an error within HTTP 500', 500, { error: { code: -32603, message: 'boom' } }, 'UPSTREAM_INVALID', /boom/],
    [
      'refused credentials',
      401,
      'who are you',
      'UPSTREAM_UNAUTHORIZED',
      /refused the credentials that are stored with the agent/,
    ],
    ['an outage', 503, '<html>', 'UPSTREAM_UNREACHABLE', /HTTP 503/],
    ['a page', 200, '<html>', 'UPSTREAM_INVALID', /not JSON/],
    ['neither result nor error', 200, {}, 'UPSTREAM_INVALID', /neither/],
    ['a task without an id', 200, { result: { task: { status: {} } } }, 'UPSTREAM_INVALID', /task\.id/],
  ] as const)('that answers with %s fails the call clearly', async (_what, status, body, code, message) => {
    const agent = await httpServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }));
    });
    for (const streaming of [false, true]) {
      const error = await failure(send(executors(), target({ url: agent.url, streaming })), code, message);
      // Many agents may share an origin: a failure of the other side names the agent, once.
      expect(error.message.split('Agent agent-one: ')).toHaveLength(code.startsWith('UPSTREAM_') ? 2 : 1);
    }
  });

  it('is told to stop, and asked for a task', async () => {
    const agent = await rpcAgent(({ method }) => ({
      id: 't1',
      status: { state: method === 'CancelTask' ? 'TASK_STATE_CANCELED' : 'TASK_STATE_WORKING' },
    }));
    const to = target({ url: agent.url });
    const executor = executors().forAgent(to.agent);
    expect((await executor.cancel(to, 't1', call())).status.state).toBe('canceled');
    expect((await executor.get(to, 't1', call())).status.state).toBe('working');
    expect(agent.calls.map(({ method, params }) => [method, params['id']])).toEqual([
      ['CancelTask', 't1'],
      ['GetTask', 't1'],
    ]);
  });

  it('is never sent a message twice, also when it lost the stream and cannot be asked', async () => {
    const agent = await rpcAgent(({ id, method }, _request, response) => {
      if (method !== 'SendStreamingMessage') {
        const error = { code: -32601, message: `No ${method}.` };
        response.setHeader('content-type', 'application/json');
        return void response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
      }
      sse(response);
      const result = { task: { id: 't1', status: { state: 'TASK_STATE_WORKING' } } };
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`, () => response.destroy());
      return undefined;
    });
    await expect(send(executors(), target({ url: agent.url, streaming: true }))).rejects.toThrow(/GetTask/);
    expect(agent.calls.map(({ method }) => method)).toEqual(['SendStreamingMessage', 'GetTask']);
  });

  it('that answers a cancel before it has stopped is asked once more', async () => {
    let down = false;
    const agent = await rpcAgent(({ method }, _request, response) => {
      if (method === 'GetTask' && down) return void response.writeHead(503).end();
      const state = method === 'GetTask' ? 'TASK_STATE_CANCELED' : 'TASK_STATE_WORKING';
      return { id: 't1', status: { state } };
    });
    const to = target({ url: agent.url });
    const executor = executors().forAgent(to.agent);
    expect((await executor.cancel(to, 't1', call())).status.state).toBe('canceled');
    down = true;
    expect((await executor.cancel(to, 't1', call())).status.state).toBe('working');
  });

  it('that speaks of another task in our stream is not taken to mean ours', async () => {
    const agent = await rpcAgent(({ id, method, params }, _request, response) => {
      if (method === 'GetTask') return { id: params['id'], status: { state: 'TASK_STATE_COMPLETED' } };
      const taskId = 'somebody-else';
      sse(response);
      for (const result of [
        { task: { id: 'up-1', status: { state: 'TASK_STATE_WORKING' } } },
        { artifactUpdate: { taskId, artifact: { artifactId: 'theirs', parts: [{ text: 'x' }] } } },
        { statusUpdate: { taskId, status: { state: 'TASK_STATE_COMPLETED' } } },
        { task: { id: taskId, status: { state: 'TASK_STATE_FAILED' } } },
        { message: { messageId: 'm', taskId, role: 'ROLE_AGENT', parts: [{ text: 'x' }] } },
        { artifactUpdate: { taskId: 'up-1', artifact: { artifactId: 'ours', parts: [{ text: 'y' }] } } },
        { statusUpdate: { taskId: 'up-1', status: { state: 'TASK_STATE_COMPLETED' } } },
      ]) {
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
      return void response.end();
    });
    const events = await send(executors(), target({ url: agent.url, streaming: true }));
    const ids = events.map((it) => it.task?.id ?? it.statusUpdate?.taskId ?? it.artifactUpdate?.taskId);
    expect(ids).toEqual(['up-1', 'up-1', 'up-1']);
    expect(agent.calls.map(({ method }) => method)).toEqual(['SendStreamingMessage']);
  });

  it.each([
    ['1.0', { task: { id: 't1', status: { state: 'TASK_STATE_DANCING' } } }, { task: done.task }],
    [
      '0.3',
      { kind: 'task', id: 't1', contextId: 'c', status: { state: 'dancing' } },
      { kind: 'status-update', taskId: 't1', contextId: 'c', status: { state: 'completed' }, final: true },
    ],
  ] as const)('of %s that says what only a later version knows is followed all the same', async (dialect, odd, end) => {
    const agent = await rpcAgent(({ id }, _request, response) => {
      sse(response);
      for (const result of [odd, { weird: {} }, end]) {
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
      return void response.end();
    });
    const own = { url: agent.url, binding: 'JSONRPC', protocolVersion: dialect, dialect };
    const events = await send(executors(), target({ url: agent.url, interfaces: [own], streaming: true }));
    expect(events.map((it) => (it.task ?? it.statusUpdate)?.status.state)).toEqual(['unknown', 'completed']);
  });

  it.each([405, 501])('over JSON-RPC whose server says %i to streams is asked the other way', async (status) => {
    const agent = await rpcAgent(({ method }, _request, response) =>
      method === 'SendMessage' ? done : void response.writeHead(status).end('no'),
    );
    expect(await send(executors(), target({ url: agent.url, streaming: true }))).toMatchObject([
      { task: { id: 't1' } },
    ]);
    expect(agent.calls.map(({ method }) => method)).toEqual(['SendStreamingMessage', 'SendMessage']);
    const refusing = await rpcAgent(({ id }, _request, response) => {
      const error = { code: -32602, message: 'bad part' };
      response.writeHead(status).end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    });
    await failure(send(executors(), target({ url: refusing.url, streaming: true })), 'INVALID_INPUT', /bad part/);
    expect(refusing.calls).toHaveLength(1);
  });

  it('of the early era that speaks of another task than the one we chose is not taken to mean ours', async () => {
    const agent = await rpcAgent(({ id, params }, _request, response) => {
      sse(response);
      for (const result of [
        { id: 'somebody-else', status: { state: 'completed' }, final: true },
        { id: params['id'], status: { state: 'working' }, final: false },
        { id: 'somebody-else', artifact: { index: 0, parts: [{ type: 'text', text: 'theirs' }] } },
        { id: params['id'], status: { state: 'completed' }, final: true },
      ]) {
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
      return void response.end();
    });
    const old = { url: agent.url, binding: 'JSONRPC', protocolVersion: '0.1', dialect: 'early' as const };
    const events = await send(executors(), target({ url: agent.url, interfaces: [old], streaming: true }));
    expect(events.map((event) => event.statusUpdate?.status.state)).toEqual(['working', 'completed']);
  });

  it('of the early era is spoken to under task ids of our own', async () => {
    const agent = await rpcAgent(({ id, method, params }, _request, response) => {
      const task = { id: params['id'], sessionId: params['sessionId'] };
      if (method === 'tasks/send') {
        const artifacts = [{ index: 0, parts: [{ type: 'text', text: 'old style' }] }];
        return { ...task, status: { state: 'completed' }, artifacts };
      }
      sse(response);
      for (const result of [
        { id: params['id'], status: { state: 'working' }, final: false },
        { id: params['id'], artifact: { index: 0, parts: [{ type: 'text', text: 'a' }] } },
        { id: params['id'], status: { state: 'completed' }, final: true },
      ]) {
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      }
      response.end();
      return undefined;
    });
    const old = { url: agent.url, binding: 'JSONRPC', protocolVersion: '0.1', dialect: 'early' as const };
    const [answer] = await send(executors(), target({ url: agent.url, interfaces: [old] }));
    expect(answer!.task).toMatchObject({
      id: agent.calls[0]!.params['id'],
      artifacts: [{ artifactId: 'idx-0', parts: [{ text: 'old style' }] }],
    });
    const events = await send(executors(), target({ url: agent.url, interfaces: [old], streaming: true }));
    expect(
      events.map((event) => event.statusUpdate?.status.state ?? event.artifactUpdate?.artifact.artifactId),
    ).toEqual(['working', 'idx-0', 'completed']);
    expect(agent.calls.map((it) => it.method)).toEqual(['tasks/send', 'tasks/sendSubscribe']);
    // Its events do not repeat the session that we named, which the next message of the conversation has to.
    const sessions = events.map((it) => it.statusUpdate?.contextId ?? it.artifactUpdate?.contextId);
    expect(new Set(sessions)).toEqual(new Set([agent.calls[1]!.params['sessionId']]));
  });

  it('without an interface that we speak is not reachable, and the message says what we do', async () => {
    const grpc = { url: 'host:1', binding: 'GRPC', protocolVersion: '0.3', dialect: '0.3' as const };
    const to = target({ url: 'http://127.0.0.1:9/', interfaces: [grpc] });
    await failure(send(executors(), to), 'AGENT_NOT_REACHABLE', /GRPC of 0\.3.*JSONRPC 1\.0/);
    for (const executionType of ['docker', 'flyte', 'mmcloud', 'nonsense']) {
      expect(() => executors().forAgent(target({ executionType }).agent)).toThrow(/declares no endpoint/);
    }
  });
});
