import { once } from 'node:events';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type Server,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { RollcallError, toRollcallError } from '../../errors.ts';
import type { Gate } from '../../http/gate.ts';
import { OPERATION_NAMES } from '../../protocol/a2a/methods.ts';
import { GRPC_METHODS, type MethodCodec } from '../../protocol/a2a/protobuf.ts';
import type { Operation } from '../../protocol/a2a/requests.ts';
import type { A2aCore } from '../call.ts';
import { execute, type Outcome } from '../execute.ts';
import type { OpenCalls } from '../open-calls.ts';
import { callerOf, callOf } from './call.ts';
import { toServiceError } from './status.ts';

export interface GrpcHost {
  readonly core: A2aCore;
  readonly calls: OpenCalls;
  readonly gate: Gate;
  readonly log: Logger;
}

/** Adds `lf.a2a.v1.A2AService`: a method per operation, over the same table as every other binding. */
export function addA2aService(server: Server, host: GrpcHost): void {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const operation of OPERATION_NAMES) {
    const codec = GRPC_METHODS.get(operation);
    if (codec === undefined) throw new Error(`protos/a2a.proto has no method ${operation}`);
    definition[operation] = definitionOf(codec);
    implementation[operation] = codec.streaming ? streaming(host, operation, codec) : unary(host, operation, codec);
  }
  server.addService(definition as ServiceDefinition, implementation);
}

const bytes = (value: Buffer): Buffer => value;

/** The handlers read the bytes themselves: what is no message is theirs to answer. */
const definitionOf = ({ path, streaming: responseStream }: MethodCodec): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

function paramsOf(codec: MethodCodec, request: Buffer): unknown {
  try {
    return codec.readRequest(request);
  } catch (cause) {
    throw new RollcallError('PARSE_ERROR', `The request is no valid message of ${codec.path}.`, { cause });
  }
}

interface Incoming {
  readonly request: Buffer;
  getPeer(): string;
  readonly metadata: Metadata;
}

async function begin(
  { core, gate }: GrpcHost,
  operation: Operation,
  codec: MethodCodec,
  incoming: Incoming,
  signal: AbortSignal,
): Promise<Outcome> {
  const { metadata } = incoming;
  const principal = await callerOf(gate, metadata, incoming.getPeer());
  return execute(core, principal, operation, () => {
    const params = paramsOf(codec, incoming.request);
    return { call: callOf(principal, metadata, params, signal), params };
  });
}

function failureOf({ log }: GrpcHost, operation: Operation, thrown: unknown) {
  const error = toRollcallError(thrown);
  if (error.code === 'INTERNAL') log.error({ err: thrown, operation }, 'an A2A call over gRPC failed');
  return toServiceError(error);
}

/** Says in the initial metadata what HTTP says in headers. */
function announce(call: { sendMetadata(metadata: Metadata): void }, headers: Outcome['headers']): void {
  if (Object.keys(headers).length > 0) call.sendMetadata(Metadata.fromHttp2Headers(headers));
}

const unary =
  (host: GrpcHost, operation: Operation, codec: MethodCodec): handleUnaryCall<Buffer, Buffer> =>
  async (incoming, respond) => {
    const { signal, end } = host.calls.open(false);
    incoming.once('cancelled', end);
    try {
      const { result, headers } = await begin(host, operation, codec, incoming, signal);
      announce(incoming, headers);
      respond(null, Buffer.from(codec.writeAnswer(result)));
    } catch (thrown) {
      // A caller who has hung up hears of nothing; its wait was ended by our own signal.
      if (!incoming.cancelled) respond(failureOf(host, operation, thrown));
    } finally {
      end();
    }
  };

const streaming =
  (host: GrpcHost, operation: Operation, codec: MethodCodec): handleServerStreamingCall<Buffer, Buffer> =>
  async (outgoing) => {
    const { signal, end } = host.calls.open(true);
    outgoing.once('cancelled', end);
    try {
      const { frames, headers } = await begin(host, operation, codec, outgoing, signal);
      announce(outgoing, headers);
      if (frames !== undefined) await writeAll(outgoing, frames, codec, signal);
      outgoing.end();
    } catch (thrown) {
      if (!outgoing.cancelled) outgoing.emit('error', failureOf(host, operation, thrown));
    } finally {
      end();
    }
  };

/** Writes each event as it comes; the next one is asked for once the reader can take it. */
async function writeAll(
  outgoing: ServerWritableStream<Buffer, Buffer>,
  frames: NonNullable<Outcome['frames']>,
  codec: MethodCodec,
  signal: AbortSignal,
): Promise<void> {
  for await (const { value } of frames) {
    if (signal.aborted) return;
    if (outgoing.write(Buffer.from(codec.writeAnswer(value)))) continue;
    await once(outgoing, 'drain', { signal }).catch(() => undefined);
  }
}
