import { describe, expect, it } from 'vitest';
import { failure, httpServer } from './egress-support.ts';
import { call, executors, send, target, text } from './executor-support.ts';

const api = (status: number, type: string, body: string | Buffer) =>
  httpServer(
    (_request, response) => void response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(body),
  );

describe('a plain API', () => {
  it('gets the message as JSON, with its credentials', async () => {
    const server = await api(200, 'application/json', '{"text":"fine"}');
    const to = target({ executionType: 'api', url: `${server.url}/do` }, { type: 'bearer', token: 'tok' });
    const message = {
      messageId: 'm1',
      contextId: 'c1',
      role: 'user' as const,
      parts: [{ text: 'one' }, { data: { n: 1 } }, { text: 'two' }],
    };
    await send(executors(), to, { message, metadata: { priority: 1 } });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/do', headers: { authorization: 'Bearer tok' } });
    expect(JSON.parse(request!.body)).toEqual({
      messageId: 'm1',
      contextId: 'c1',
      text: 'one\ntwo',
      parts: message.parts,
      metadata: { priority: 1 },
    });
  });

  it.each([
    ['a text in JSON', 'application/json', '{"text":"fine"}', [{ text: 'fine' }]],
    ['parts', 'application/json; charset=utf-8', '{"parts":[{"url":"https://x/y"}]}', [{ url: 'https://x/y' }]],
    ['parts that are none', 'application/json', '{"parts":[7]}', [{ data: { parts: [7] } }]],
    ['any other JSON', 'application/vnd.x+json', '[1,null]', [{ data: [1, null] }]],
    ['a JSON string', 'application/json', '"hm"', [{ text: 'hm' }]],
    ['plain text', 'text/plain', 'hello', [{ text: 'hello' }]],
    ['text in another charset', 'text/plain; charset=latin1', Buffer.from('hé', 'latin1'), [{ text: 'hé' }]],
    [
      'text in quotes',
      'text/html; Charset="UTF-16LE"',
      Buffer.from('hé', 'utf16le'),
      [{ text: 'hé', mediaType: 'text/html' }],
    ],
    ['other text', 'text/csv; charset=utf-8', 'a,b', [{ text: 'a,b', mediaType: 'text/csv' }]],
    ['bytes', 'image/png', Buffer.from([1, 2, 255]), [{ raw: 'AQL/', mediaType: 'image/png' }]],
    ['nothing', '', '', undefined],
  ] as const)('that answers with %s completes the task', async (_what, type, body, parts) => {
    const server = await api(200, type, body as string);
    const [event, ...more] = await send(executors(), target({ executionType: 'api', url: server.url }));
    expect(more).toEqual([]);
    expect(event!.task?.status.state).toBe('completed');
    expect(event!.task?.artifacts?.[0]?.parts).toEqual(parts);
  });

  it('rejects a message, fails, or lies about its JSON', async () => {
    const [refusing, broken, lying] = [
      await api(422, 'text/plain', 'too long'),
      await api(500, 'text/plain', 'x'),
      await api(200, 'application/json', 'not json'),
    ];
    const at = (url: string) => target({ executionType: 'api', url });
    expect((await send(executors(), at(refusing.url)))[0]!.task?.status).toMatchObject({
      state: 'rejected',
      message: { parts: [{ text: 'too long' }] },
    });
    await failure(send(executors(), at(broken.url)), 'UPSTREAM_INVALID', /HTTP 500/);
    await failure(send(executors(), at(lying.url)), 'UPSTREAM_INVALID', /not JSON/);
  });

  it.each([
    ['a text', 'text/plain', `\u0007no\r\ndisk \u001b[1m${'x'.repeat(300)}`, /HTTP 500: no disk \[1mx{189}$/],
    ['half a character at the cut', 'text/plain', `${'x'.repeat(199)}😀`, /HTTP 500: x{199}\uFFFD$/],
    ['JSON', 'application/json', '{"error":"no disk"}', /HTTP 500: \{"error":"no disk"\}$/],
    ['bytes', 'image/png', Buffer.from([1, 2, 255]), /HTTP 500\.$/],
    ['nothing', '', '', /HTTP 500\.$/],
  ] as const)('that fails with %s is quoted', async (_what, type, body, message) => {
    const server = await api(500, type, body as string);
    const said = new RegExp(`^Agent agent-one: http://127\\.0\\.0\\.1:\\d+ answered ${message.source}`);
    await failure(send(executors(), target({ executionType: 'api', url: server.url })), 'UPSTREAM_INVALID', said);
  });

  it.each([200, 400, 500])('that answers %i in a charset that nobody knows fails, and it is named', async (status) => {
    const server = await api(status, 'text/plain; charset=klingon', 'x');
    const said = new RegExp(`^Agent agent-one: .* HTTP ${status} and a text in the charset "klingon"`);
    await failure(send(executors(), target({ executionType: 'api', url: server.url })), 'UPSTREAM_INVALID', said);
  });

  it('keeps no tasks', async () => {
    const to = target({ executionType: 'api', url: 'http://127.0.0.1:9/' });
    const executor = executors().forAgent(to.agent);
    await failure(executor.get(to, 'x', call()), 'TASK_NOT_FOUND');
    await failure(executor.cancel(to, 'x', call()), 'TASK_NOT_CANCELABLE');
    await failure(executor.resubscribe(to, 'x', call())[Symbol.asyncIterator]().next(), 'TASK_NOT_FOUND');
  });
});

describe('an agent that is down', () => {
  it('is spared after failures in a row, and tried again after the rest', async () => {
    let up = false;
    const server = await httpServer((_request, response) => {
      if (up) response.setHeader('content-type', 'text/plain').end('ok');
      else response.writeHead(503).end();
    });
    const all = executors({ breaker: { failures: 3, restMs: 1_000 } });
    const to = target({ executionType: 'api', url: server.url });
    const other = target({ id: 'a2', executionType: 'api', url: server.url });
    for (let i = 0; i < 3; i++) await failure(send(all, to, text('x')), 'UPSTREAM_UNREACHABLE', /not available/);
    await failure(send(all, to, text('x')), 'UPSTREAM_UNREACHABLE', /was not asked: 3 messages/);
    expect(server.requests).toHaveLength(3);
    await failure(send(all, other, text('x')), 'UPSTREAM_UNREACHABLE', /not available/);
    up = true;
    await expect
      .poll(() =>
        send(all, to, text('x')).then(
          (events) => events.length,
          () => 0,
        ),
      )
      .toBe(1);
    expect(await send(all, to, text('x'))).toHaveLength(1);
  });

  it('is not taken for down when it refuses messages', async () => {
    const server = await api(400, 'text/plain', 'no');
    const all = executors({ breaker: { failures: 2, restMs: 60_000 } });
    const to = target({ executionType: 'api', url: server.url });
    for (let i = 0; i < 4; i++) expect(await send(all, to)).toHaveLength(1);
    expect(server.requests).toHaveLength(4);
  });
});
