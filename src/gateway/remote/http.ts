import { type DocumentNode, type ExecutionResult, print } from 'graphql';
import { type Dispatcher, Pool } from 'undici';
import { RollcallError } from '../../errors.ts';
import type { ExecRequest } from '../engine.ts';
import { forwardedHeaders } from './headers.ts';
import type { RemoteOptions } from './options.ts';
import { invalidAnswer, readResponse } from './response.ts';

const printed = new WeakMap<DocumentNode, string>();

/** The text of a document, printed once: plans keep their documents. */
export function textOf(document: DocumentNode): string {
  let text = printed.get(document);
  if (text === undefined) {
    text = document.loc?.source.body ?? print(document);
    printed.set(document, text);
  }
  return text;
}

export const payloadOf = (request: ExecRequest) => ({
  query: textOf(request.document),
  variables: request.variables,
  operationName: request.operationName,
});

export interface HttpTransport {
  /** Rejects with UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT or UPSTREAM_INVALID; with the signal's reason when aborted. */
  send(request: ExecRequest): Promise<ExecutionResult>;
  close(): Promise<void>;
}

/** GraphQL over HTTP POST on kept-alive connections. */
export function createHttpTransport(options: RemoteOptions): HttpTransport {
  const url = new URL(options.url);
  const path = url.pathname + url.search;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const maxBytes = options.maxResponseBytes ?? 32 * 1024 * 1024;
  // undici's own timeouts fire up to a second late: they are off, and our timer covers the whole exchange.
  const pool = new Pool(url.origin, {
    connections: options.connections ?? 32,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs },
  });

  async function exchange(request: ExecRequest, signal: AbortSignal): Promise<ExecutionResult> {
    let response: Dispatcher.ResponseData;
    try {
      response = await pool.request({
        path,
        method: 'POST',
        headers: {
          ...forwardedHeaders(options, request.context),
          accept: 'application/graphql-response+json, application/json',
          'content-type': 'application/json',
        },
        body: JSON.stringify(payloadOf(request)),
        signal,
      });
    } catch (cause) {
      throw new RollcallError('UPSTREAM_UNREACHABLE', `Subgraph "${options.name}" cannot be reached.`, { cause });
    }
    const type = String(response.headers['content-type'] ?? '');
    if (!/^application\/(graphql-response\+)?json\b/i.test(type)) {
      // Destroying a body emits an error, which ends the process when nobody listens.
      response.body.on('error', () => {}).destroy();
      throw invalidAnswer(options.name, `answered HTTP ${response.statusCode} without JSON`);
    }
    const text = await readText(response.body);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw invalidAnswer(options.name, `answered HTTP ${response.statusCode} with JSON that cannot be read`);
    }
    return readResponse(json, options.name);
  }

  async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBytes) throw invalidAnswer(options.name, `answered more than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
    } catch (cause) {
      if (cause instanceof RollcallError) throw cause;
      throw invalidAnswer(options.name, 'broke off its answer', cause);
    }
    return (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8');
  }

  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const controller = new AbortController();
      const onAbort = () => controller.abort(request.signal?.reason);
      request.signal?.addEventListener('abort', onAbort, { once: true });
      const late = new RollcallError(
        'UPSTREAM_TIMEOUT',
        `Subgraph "${options.name}" did not answer within ${timeoutMs} ms.`,
      );
      const timer = setTimeout(() => controller.abort(late), timeoutMs);
      try {
        return await exchange(request, controller.signal);
      } catch (thrown) {
        // Whatever undici makes of an abort, the caller learns its reason.
        throw controller.signal.aborted ? controller.signal.reason : thrown;
      } finally {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', onAbort);
      }
    },
    // Not `close`: that waits for requests which may never be answered.
    close: () => pool.destroy(),
  };
}
