import type { ExecutionResult } from 'graphql';
import { Pool } from 'undici';
import { RollcallError } from '../../errors.ts';
import type { RemoteOptions } from './options.ts';
import { type Answer, Post, type PostRules } from './post.ts';
import { invalidAnswer, readResponse } from './response.ts';
import type { Sending } from './sending.ts';

export interface HttpTransport {
  /** Rejects with UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT or UPSTREAM_INVALID; with the signal's reason when aborted. */
  send(request: Sending): Promise<ExecutionResult>;
  close(): Promise<void>;
}

const JSON_TYPE = /^application\/(graphql-response\+)?json\b/i;

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

  const returned = (options.returnHeaders ?? []).map((name) => name.toLowerCase());

  const rules: PostRules = {
    maxBytes,
    refuse: (status, contentType) =>
      JSON_TYPE.test(contentType) ? undefined : invalidAnswer(options.name, `answered HTTP ${status} without JSON`),
    fail(why, cause) {
      if (why === 'broken') return invalidAnswer(options.name, 'broke off its answer', cause);
      if (why === 'too large') return invalidAnswer(options.name, `answered more than ${maxBytes} bytes`);
      return new RollcallError('UPSTREAM_UNREACHABLE', `Subgraph "${options.name}" cannot be reached.`, { cause });
    },
  };

  const late = (waitMs: number): RollcallError =>
    new RollcallError(
      'UPSTREAM_TIMEOUT',
      waitMs === timeoutMs
        ? `Subgraph "${options.name}" did not answer within ${timeoutMs} ms.`
        : `Subgraph "${options.name}" did not answer in the time that the operation had left.`,
    );

  function read({ status, text }: Answer): ExecutionResult {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw invalidAnswer(options.name, `answered HTTP ${status} with JSON that cannot be read`);
    }
    return readResponse(json, options.name);
  }

  return {
    async send({ body, headers, context, trace, signal, deadline }) {
      signal?.throwIfAborted();
      const left = deadline === undefined ? timeoutMs : Math.max(0, deadline - performance.now());
      const waitMs = Math.min(timeoutMs, left);
      if (waitMs === 0) throw late(waitMs);
      const post = new Post(rules);
      const onAbort = () => post.abort(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const timer = setTimeout(() => post.abort(late(waitMs)), waitMs);
      try {
        pool.dispatch(
          {
            path,
            method: 'POST',
            headers: {
              ...headers,
              ...trace?.headers,
              accept: 'application/graphql-response+json, application/json',
              'content-type': 'application/json',
            },
            body,
          },
          post,
        );
        const answer = await post.answer;
        for (const name of returned) {
          const value = answer.headers[name];
          if (value !== undefined) context.returnHeader?.(name, value);
        }
        return read(answer);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      }
    },
    // Not `close`: that waits for requests which may never be answered.
    close: () => pool.destroy(),
  };
}
