import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { failure, httpServer } from './egress-support.ts';
import { done, executors, send, target } from './executor-support.ts';

const sse = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });
const typed = (type: string): string => (type === '' ? '' : `event: ${type}\n`);

describe('an A2A agent over HTTP+JSON', () => {
  const over = (url: string, dialect: '1.0' | '0.3' = '1.0') => {
    const own = { url, binding: 'HTTP+JSON', protocolVersion: dialect, dialect };
    return target({ url, interfaces: [own], streaming: true });
  };
  const json = (response: ServerResponse, status: number, body: unknown) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  it.each([
    ['1.0', 'error', { error: { code: 500, status: 'INTERNAL', message: 'late failure' } }],
    ['1.0', '', { error: { code: 500, status: 'INTERNAL', message: 'late failure' } }],
    ['1.0', 'error', 'late failure'],
    ['0.3', 'error', { code: -32603, message: 'late failure' }],
  ] as const)(
    'in %s fails with the error that its stream ends with (event type "%s"): %j',
    async (dialect, type, error) => {
      const agent = await httpServer((_request, response) => {
        sse(response);
        response.write(`data: ${JSON.stringify({ task: { id: 't1', status: { state: 'TASK_STATE_WORKING' } } })}\n\n`);
        response.end(`${typed(type)}data: ${typeof error === 'string' ? error : JSON.stringify(error)}\n\n`);
      });
      await failure(send(executors(), over(agent.url, dialect)), 'UPSTREAM_INVALID', /error: late failure$/);
      expect(agent.requests).toHaveLength(1);
    },
  );

  const unimplemented = { error: { code: 404, status: 'UNIMPLEMENTED', message: 'No such method.' } };
  it.each([
    ['1.0', 404, unimplemented],
    ['1.0', 405, undefined],
    ['1.0', 501, { error: { code: 501, message: 'no' } }],
    ['0.3', 404, { code: -32601, message: 'no' }],
  ] as const)('in %s that has no streaming method (%i) is asked the other way', async (dialect, status, body) => {
    const agent = await httpServer((request, response) =>
      request.url?.endsWith(':stream') ? json(response, status, body) : json(response, 200, done),
    );
    expect(await send(executors(), over(agent.url, dialect))).toMatchObject([{ task: { id: 't1' } }]);
    expect(agent.requests.map(({ path }) => path.split(':').at(-1))).toEqual(['stream', 'send']);
  });

  it.each([
    ['1.0', 'error', { error: { code: 405, message: 'a tool said so' } }],
    ['1.0', 'error', { error: { code: 501, message: 'a tool said so' } }],
  ] as const)(
    'in %s is not sent the message again because of what its stream says (event type "%s"): %j',
    async (dialect, type, error) => {
      const agent = await httpServer(
        (_request, response) => void sse(response).end(`${typed(type)}data: ${JSON.stringify(error)}\n\n`),
      );
      await expect(send(executors(), over(agent.url, dialect))).rejects.toThrow(/a tool said so/);
      expect(agent.requests).toHaveLength(1);
    },
  );

  it.each([
    [404, undefined],
    [404, { error: { code: 404, status: 'NOT_FOUND', message: 'no such task' } }],
    [500, { error: { code: 500, message: 'no' } }],
  ])('that answers %i %j is not sent the message again', async (status, body) => {
    const agent = await httpServer((_request, response) => json(response, status, body));
    await expect(send(executors(), over(agent.url))).rejects.toThrow();
    expect(agent.requests).toHaveLength(1);
  });
});
