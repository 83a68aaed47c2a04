import { Metadata } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import type { Dialect } from '../../protocol/a2a/dialects/index.ts';
import type { StreamEvent } from '../../protocol/a2a/model.ts';
import { GRPC_METHODS, type MethodCodec } from '../../protocol/a2a/protobuf.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../../protocol/a2a/requests.ts';
import { signIn, type TokenCache } from '../credentials.ts';
import type { Egress } from '../egress.ts';
import type { UpstreamCall, UpstreamTarget } from '../executor.ts';
import { naming } from '../naming.ts';
import type { GrpcEndpoint } from './endpoint.ts';
import { callStreaming, callUnary, type GrpcCall } from './grpc-calls.ts';
import { describeGrpcFailure, isRefusal } from './grpc-failures.ts';
import { type Peer, STREAM_IDLE_MS, type StreamingOperation, UNARY_TIMEOUT_MS } from './peer.ts';

/**
 * An agent, spoken to over gRPC (`lf.a2a.v1.A2AService`, specification 1.0 §10). Members that its messages do not define
 * cannot travel; metadata and data parts carry any JSON.
 */
export class GrpcPeer implements Peer {
  readonly #egress: Egress;
  readonly #tokens: TokenCache;
  readonly #target: UpstreamTarget;
  readonly #endpoint: GrpcEndpoint;

  constructor(egress: Egress, tokens: TokenCache, target: UpstreamTarget, endpoint: GrpcEndpoint) {
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
    const codec = codecOf(operation);
    const { onRefused, ...prepared } = await this.#prepare(operation, codec, request, call);
    try {
      const bytes = await callUnary({ ...prepared, timeoutMs });
      return this.dialect.readResult(operation, this.#read(codec, bytes));
    } catch (thrown) {
      throw this.#failure(thrown, call, onRefused);
    }
  }

  async *stream<O extends StreamingOperation>(
    operation: O,
    request: RequestOf[O],
    call: UpstreamCall,
  ): AsyncGenerator<{ readonly event: StreamEvent; readonly final: boolean }> {
    const codec = codecOf(operation);
    const { onRefused, ...prepared } = await this.#prepare(operation, codec, request, call);
    try {
      for await (const bytes of callStreaming({ ...prepared, timeoutMs: STREAM_IDLE_MS })) {
        const wire = this.#read(codec, bytes);
        if (this.dialect.knowsEvent(wire)) yield this.dialect.readStreamEvent(wire);
      }
    } catch (thrown) {
      throw this.#failure(thrown, call, onRefused);
    }
  }

  #read(codec: MethodCodec, bytes: Buffer): unknown {
    try {
      return codec.readAnswer(bytes);
    } catch (cause) {
      const { authority } = this.#endpoint.address;
      throw new RollcallError(
        'UPSTREAM_INVALID',
        `${authority} answered with bytes that ${codec.path} does not have.`,
        {
          cause,
        },
      );
    }
  }

  #failure(thrown: unknown, { signal }: UpstreamCall, onRefused: (() => void) | undefined): unknown {
    if (isRefusal(thrown)) onRefused?.();
    return naming(this.handle, describeGrpcFailure(thrown, this.#endpoint.address.authority, signal), signal);
  }

  async #prepare<O extends Operation>(
    operation: O,
    codec: MethodCodec,
    request: RequestOf[O],
    call: UpstreamCall,
  ): Promise<Omit<GrpcCall, 'timeoutMs'> & { readonly onRefused: (() => void) | undefined }> {
    const { tenant, url, address } = this.#endpoint;
    const params = this.dialect.writeRequest(operation, tenant === undefined ? request : { ...request, tenant });
    const bytes = writeRequest(codec, params);
    const [{ metadata, onRefused }, { client, closing }] = await this.#connect(url, call);
    await call.after;
    call.signal.throwIfAborted();
    const { authority } = address;
    return { client, closing, authority, path: codec.path, bytes, metadata, signal: call.signal, onRefused };
  }

  async #connect(url: string, call: UpstreamCall) {
    try {
      return [await this.#metadata(call), await this.#egress.grpc(url, call.signal)] as const;
    } catch (error) {
      throw naming(this.handle, error, call.signal);
    }
  }

  async #metadata(call: UpstreamCall): Promise<{ metadata: Metadata; onRefused: (() => void) | undefined }> {
    const { credentialsOrigin, address } = this.#endpoint;
    const { agent, authentication } = this.#target;
    const { headers, query, onRefused } = await signIn(
      authentication,
      credentialsOrigin,
      new URL(address.origin),
      this.#tokens,
      call.signal,
    );
    if (query !== undefined) {
      throw unusable(
        agent.handle,
        'its API key is to be sent in a query, which gRPC has not: store it with in: header',
      );
    }
    const metadata = new Metadata();
    metadata.set('a2a-version', '1.0');
    if (call.extensions?.length) metadata.set('a2a-extensions', call.extensions.join(', '));
    for (const [name, value] of Object.entries(headers)) {
      try {
        metadata.set(name, value);
      } catch {
        // What was thrown repeats the value, and would take the secret to the log.
        throw unusable(
          agent.handle,
          'its credentials hold characters, or go by a name, that gRPC metadata cannot have',
        );
      }
    }
    return { metadata, onRefused };
  }
}

const unusable = (handle: string, why: string): RollcallError =>
  new RollcallError('FAILED_PRECONDITION', `Agent ${handle} is spoken to over gRPC, but ${why} (updateAgent).`);

function codecOf(operation: Operation): MethodCodec {
  const codec = GRPC_METHODS.get(operation);
  if (codec === undefined) throw new Error(`protos/a2a.proto has no method ${operation}`);
  return codec;
}

function writeRequest(codec: MethodCodec, params: unknown): Buffer {
  try {
    return Buffer.from(codec.writeRequest(params));
  } catch (cause) {
    throw new RollcallError('INVALID_INPUT', `The request does not fit the message of ${codec.path}.`, { cause });
  }
}
