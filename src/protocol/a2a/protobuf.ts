import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { type Any, AnySchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { RpcStatus } from './errors.ts';
import { DESCRIPTOR_SET } from './generated/descriptors.ts';

/** A2A 1.0 in protobuf: the same values as its JSON, as ProtoJSON and protobuf's binary form translate them. */

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, DESCRIPTOR_SET));

function found<T>(descriptor: T | undefined, name: string): T {
  if (descriptor === undefined) throw new Error(`protos/ has no ${name}; generate the descriptors again`);
  return descriptor;
}
const message = (name: string): DescMessage => found(registry.getMessage(name), name);

/** Whatever is in `bytes`, as ProtoJSON. @throws Error when they are no such message. */
const read = (type: DescMessage, bytes: Uint8Array): JsonValue => toJson(type, fromBinary(type, bytes), { registry });

/** Members that the type does not define are left out. */
const write = (type: DescMessage, value: unknown): Uint8Array =>
  toBinary(type, fromJson(type, (value ?? {}) as JsonValue, { registry, ignoreUnknownFields: true }));

/** How the messages of one method travel. */
export interface MethodCodec {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly streaming: boolean;
  readRequest(bytes: Uint8Array): unknown;
  writeRequest(value: unknown): Uint8Array;
  readAnswer(bytes: Uint8Array): unknown;
  /** `value` in the JSON form of 1.0; null for a method that answers nothing. */
  writeAnswer(value: unknown): Uint8Array;
}

const codecOf = (service: DescService, method: DescMethod): MethodCodec => ({
  path: `/${service.typeName}/${method.name}`,
  streaming: method.methodKind === 'server_streaming',
  readRequest: (bytes) => read(method.input, bytes),
  writeRequest: (value) => write(method.input, value),
  readAnswer: (bytes) => read(method.output, bytes),
  writeAnswer: (value) => write(method.output, value),
});

/** The service's name on the wire. */
export const SERVICE_NAME = 'lf.a2a.v1.A2AService';
const service = found(registry.getService(SERVICE_NAME), SERVICE_NAME);

/** The types that a method takes and answers, for whoever describes them. */
export const typesOf = (operation: string): { readonly input: DescMessage; readonly output: DescMessage } => {
  const method = service.methods.find(({ name }) => name === operation);
  return found(method, `${SERVICE_NAME}.${operation}`);
};

/** The methods of A2AService by their names, which are those of the operations. */
export const GRPC_METHODS: ReadonlyMap<string, MethodCodec> = new Map(
  service.methods.map((method) => [method.name, codecOf(service, method)]),
);

const status = message('google.rpc.Status');

/** The value of `grpc-status-details-bin` (specification 1.0 §10.6). */
export const writeStatus = (error: RpcStatus): Uint8Array => write(status, error);
/**
 * A google.rpc.Status, its details as ProtoJSON Any values; those of types that are not known here are left out, as
 * agents add what they like.
 *
 * @throws Error when `bytes` are no such message.
 */
export function readStatus(bytes: Uint8Array): RpcStatus {
  const {
    code,
    message: text,
    details,
  } = fromBinary(status, bytes) as unknown as {
    readonly code: number;
    readonly message: string;
    readonly details: readonly Any[];
  };
  return { code, message: text, details: details.flatMap(readDetail) };
}

function readDetail(packed: Any): RpcStatus['details'] {
  try {
    return [toJson(AnySchema, packed, { registry }) as unknown as RpcStatus['details'][number]];
  } catch {
    return [];
  }
}
