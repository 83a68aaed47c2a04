import { RollcallError } from '../../errors.ts';
import type { Dialect, DialectName } from '../../protocol/a2a/dialects/index.ts';
import type { StreamEvent } from '../../protocol/a2a/model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../../protocol/a2a/requests.ts';
import { decodeEvents } from '../../protocol/sse.ts';
import { signIn, type TokenCache } from '../credentials.ts';
import type { Egress, EgressStream } from '../egress.ts';
import type { UpstreamCall, UpstreamTarget } from '../executor.ts';
import { naming } from '../naming.ts';
import type { HttpBinding } from './bindings.ts';
import type { HttpEndpoint } from './endpoint.ts';
import { type Peer, STREAM_IDLE_MS, type StreamingOperation, UNARY_TIMEOUT_MS } from './peer.ts';

/** Headers that say which version and which extensions are meant (specification 1.0 §3.2.6, 0.3 had an X- before it). */
const VERSION_HEADERS: { readonly [D in DialectName]?: Readonly<Record<string, string>> } = {
  '1.0': { 'a2a-version': '1.0' },
};
const EXTENSIONS_HEADER: { readonly [D in DialectName]?: string } = {
  '1.0': 'a2a-extensions',
  '0.3': 'x-a2a-extensions',
  '0.3-rest': 'x-a2a-extensions',
};

/** An agent, spoken to over HTTP in the binding and dialect of its interface. Unknown members pass both ways. */
export class HttpPeer implements Peer {
  readonly #egress: Egress;
  readonly #tokens: TokenCache;
  readonly #target: UpstreamTarget;
  readonly #endpoint: HttpEndpoint;

  constructor(egress: Egress, tokens: TokenCache, target: UpstreamTarget, endpoint: HttpEndpoint) {
    this.#egress = egress;
    this.#tokens = tokens;
    this.#target = target;
    this.#endpoint = endpoint;
  }

  get dialect(): Dialect {
    return this.#endpoint.binding.dialect;
  }

  get handle(): string {
    return this.#target.agent.handle;
  }

  async call<O extends UnaryOperation>(
    operation: O,
    request: RequestOf[O],
    call: UpstreamCall,
    timeoutMs = UNARY_TIMEOUT_MS,
  ): Promise<ResultOf[O]> {
    try {
      const { binding, url: base } = this.#endpoint;
      const { url, init, onRefused } = await this.#prepare(operation, request, call, 'application/json');
      const answer = await this.#egress.fetch(url, { ...init, timeoutMs });
      if (answer.status === 401) onRefused?.();
      return binding.dialect.readResult(
        operation,
        binding.result(answer.status, jsonOf(answer.text(), answer.ok), base.origin),
      );
    } catch (error) {
      throw naming(this.handle, error, call.signal);
    }
  }

  /** An answer in one piece is a stream of one event. */
  async *stream<O extends StreamingOperation>(
    operation: O,
    request: RequestOf[O],
    call: UpstreamCall,
  ): AsyncGenerator<{ readonly event: StreamEvent; readonly final: boolean }> {
    let answer: EgressStream | undefined;
    try {
      const { binding, url: base } = this.#endpoint;
      const { url, init, onRefused } = await this.#prepare(operation, request, call, 'text/event-stream');
      answer = await this.#egress.stream(url, {
        ...init,
        idleTimeoutMs: STREAM_IDLE_MS,
        timeoutMs: UNARY_TIMEOUT_MS,
      });
      if (answer.status === 401) onRefused?.();
      const { dialect } = binding;
      if (answer.status !== 200 || !/^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')) {
        const ok = answer.status >= 200 && answer.status < 300;
        const body = jsonOf((await answer.bytes()).toString('utf8'), ok);
        yield dialect.readStreamEvent(resultOf(binding, answer.status, body, base.origin));
        return;
      }
      for await (const { event, data } of decodeEvents(answer.body)) {
        if (data === '') continue;
        const isError = event === 'error';
        const wire = binding.streamed(jsonOf(data, !isError) ?? data, isError);
        if (dialect.knowsEvent(wire)) yield dialect.readStreamEvent(wire);
      }
    } catch (error) {
      throw naming(this.handle, error, call.signal);
    } finally {
      answer?.cancel();
    }
  }

  async #prepare<O extends Operation>(operation: O, request: RequestOf[O], call: UpstreamCall, accept: string) {
    const { binding, url: base, tenant, credentialsOrigin } = this.#endpoint;
    const { dialect } = binding;
    const params = dialect.writeRequest(operation, tenant === undefined ? request : { ...request, tenant });
    const { method, url, contentType, body } = binding.request(base, operation, params);
    const { headers, query, onRefused } = await signIn(
      this.#target.authentication,
      credentialsOrigin,
      url,
      this.#tokens,
      call.signal,
    );
    if (query !== undefined) url.searchParams.set(...query);
    const extensions = EXTENSIONS_HEADER[dialect.name];
    return {
      url: url.href,
      onRefused,
      init: {
        method,
        headers: {
          accept,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...VERSION_HEADERS[dialect.name],
          ...(extensions !== undefined && call.extensions?.length ? { [extensions]: call.extensions.join(', ') } : {}),
          ...headers,
        },
        sensitiveHeaders: Object.keys(headers),
        ...(body === undefined ? {} : { body }),
        signal: call.signal,
        ...(call.after === undefined ? {} : { after: call.after }),
        // A key in the query would be repeated to wherever a redirect leads.
        redirect: 'refuse' as const,
      },
    };
  }
}

/** Statuses by which a server says that it has no such method, before it did anything. */
const NO_SUCH_METHOD: ReadonlySet<number> = new Set([405, 501]);

/** The result in an answer to a streaming method. @throws RollcallError with the word of gRPC where there is no such method. */
function resultOf(binding: HttpBinding, status: number, body: unknown, origin: string): unknown {
  try {
    return binding.result(status, body, origin);
  } catch (error) {
    if (!NO_SUCH_METHOD.has(status) || !(error instanceof RollcallError)) throw error;
    // An error of JSON-RPC says better what happened than the status that it came with.
    if (![undefined, status].includes(error.details['upstreamCode'] as number | undefined)) throw error;
    const details = { upstreamCode: 'UNIMPLEMENTED' };
    throw new RollcallError('UNSUPPORTED_OPERATION', error.message, { details, cause: error });
  }
}

/** JSON, where an answer must be JSON; an error page of a proxy need not be. */
function jsonOf(text: string, required: boolean): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (cause) {
    if (!required) return undefined;
    throw new RollcallError('UPSTREAM_INVALID', 'The agent answered with something that is not JSON.', { cause });
  }
}
