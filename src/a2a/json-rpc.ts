import type { FastifyRequest } from 'fastify';
import { type RollcallError, toRollcallError } from '../errors.ts';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import { parseCall } from '../protocol/a2a/jsonrpc.ts';
import { type Detected, detect, dialectOfVersion, OPERATIONS } from '../protocol/a2a/methods.ts';
import { answer, enveloped, formatOf } from './answer.ts';
import { execute } from './execute.ts';
import { type A2aHost, type HttpBinding, openCall } from './host.ts';
import { callOf, versionOf } from './http-call.ts';

/** The dialect of an error about a request that cannot be understood: what it claims, or what its method looks like. */
function likelyDialect(request: FastifyRequest, method = ''): DialectName {
  try {
    const asked = dialectOfVersion(versionOf(request));
    if (asked !== undefined) return asked;
  } catch {
    return '1.0';
  }
  // Clients of 1.0 must say their version (specification 1.0 §3.6.1).
  return /^[A-Z]/.test(method) ? '1.0' : '0.3';
}

type Meaning = { readonly detected: Detected; readonly error?: never } | { readonly error: RollcallError };

function meaningOf(request: FastifyRequest, method: string): Meaning {
  try {
    return { detected: detect(method, versionOf(request)) };
  } catch (thrown) {
    return { error: toRollcallError(thrown) };
  }
}

/** JSON-RPC at the agent's base URL: 1.0, 0.3 and the early era, told apart by method and version. */
export function jsonRpcBinding(host: A2aHost): HttpBinding {
  return {
    async handle(request, reply) {
      const { call, refusal } = parseCall(request.body as Uint8Array);
      if (refusal !== undefined) return enveloped(refusal.id, likelyDialect(request)).error(reply, refusal.error);
      const { id, method, params } = call;
      const meaning = meaningOf(request, method);
      if (meaning.error !== undefined) return formatOf(id, likelyDialect(request, method)).error(reply, meaning.error);
      const { detected } = meaning;
      const signal = openCall(host, reply, OPERATIONS[detected.operation].streaming);
      return answer(host, { request, reply, signal, format: formatOf(id, detected.dialect) }, async () =>
        execute(host.core, request.principal!, detected.operation, () => ({
          call: callOf(request, detected, signal),
          params,
        })),
      );
    },
    refuse: (request, reply, error) => enveloped(null, likelyDialect(request)).error(reply, error),
  };
}
