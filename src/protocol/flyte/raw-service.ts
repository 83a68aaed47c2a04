import type { MethodDefinition } from '@grpc/grpc-js';

/** A method whose requests and responses are the bytes of the wire. */
export type RawMethod = MethodDefinition<Buffer, Buffer>;

type Shape = Pick<RawMethod, 'path' | 'requestStream' | 'responseStream'>;

const identity = (bytes: Buffer): Buffer => bytes;

/**
 * The same methods without codecs. A router that decodes and encodes messages drops what it does not know and changes
 * the order of what it knows; one that passes bytes does neither.
 */
export function rawService<D extends Readonly<Record<string, Shape>>>(
  definition: D,
): { readonly [K in keyof D]: RawMethod } {
  const raw: Record<string, RawMethod> = {};
  for (const [name, method] of Object.entries(definition)) {
    raw[name] = {
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
  }
  return raw as { readonly [K in keyof D]: RawMethod };
}

/** The name of a method's service: `flyteidl.service.AsyncAgentService` of `/flyteidl.service.AsyncAgentService/GetTask`. */
export const serviceNameOf = (definition: Readonly<Record<string, { readonly path: string }>>): string =>
  Object.values(definition)[0]?.path.split('/')[1] ?? '';
