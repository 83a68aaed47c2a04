import type { FastifyRequest } from 'fastify';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import { parseCall } from '../protocol/a2a/jsonrpc.ts';
import { detect, dialectOfVersion, OPERATIONS } from '../protocol/a2a/methods.ts';
import { answer, enveloped, unanswered } from './answer.ts';
import { execute } from './execute.ts';
import { failureOf, type A2aHost, type HttpBinding } from './host.ts';
import { callOf, versionOf } from './http-call.ts';

/** The dialect of an error about a request that cannot be understood: what it claims, or what its method looks like. */
function likelyDialect(request: FastifyRequest, method = ''): DialectName {
  try {
    const asked = dialectOfVersion(versionOf(request));
    if (asked !== undefined) return asked;
  } catch {
    return '1.0';
  }
  // Clients of 1.0 must say their version (§3.6.1).
  return /^[A-Z]/.test(method) ? '1.0' : '0.3';
}

/** JSON-RPC at the agent's base URL: 1.0, 0.3 and the early era, told apart by method and version. */
export function jsonRpcBinding(host: A2aHost): HttpBinding {
  return {
    async handle(request, reply) {
      const { call, refusal } = parseCall(request.body as Uint8Array);
      if (refusal !== undefined) {
        return enveloped(refusal.id, likelyDialect(request)).error(reply, refusal.error);
      }
      const { id, method, params } = call;
      const begun = (): ReturnType<typeof detect> => detect(method, versionOf(request));
      let detected: ReturnType<typeof detect>;
      try {
        detected = begun();
      } catch (thrown) {
        const error = failureOf(host, request, thrown);
        if (id === undefined) return unanswered.error(reply, error);
        return enveloped(id, likelyDialect(request, method)).error(reply, error);
      }
      const { operation, dialect } = detected;
      const signal = host.calls.open(reply.raw, OPERATIONS[operation].streaming);
      const begin = async () => execute(host.core, callOf(request, detected, signal), operation, params);
      if (id === undefined) {
        await begin().catch((thrown: unknown) => failureOf(host, request, thrown));
        return unanswered.result(reply, undefined);
      }
      return answer(host, { request, reply, format: enveloped(id, dialect), signal }, begin);
    },
    refuse: (request, reply, error) => enveloped(null, likelyDialect(request)).error(reply, error),
  };
}
