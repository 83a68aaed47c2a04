import { type RollcallError, toRollcallError } from '../errors.ts';
import { parseJson, readShim } from '../protocol/a2a/jsonrpc.ts';
import { OPERATIONS } from '../protocol/a2a/methods.ts';
import type { Operation } from '../protocol/a2a/requests.ts';
import { answer, bare, enveloped } from './answer.ts';
import { execute } from './execute.ts';
import { type A2aHost, type HttpBinding, openCall } from './host.ts';
import { callOf } from './http-call.ts';

/** The early era's methods as paths below the agent's base URL. */
export const SHIMS: { readonly [path: string]: Operation } = {
  '/tasks/send': 'SendMessage',
  '/tasks/sendSubscribe': 'SendStreamingMessage',
  '/tasks/get': 'GetTask',
  '/tasks/cancel': 'CancelTask',
  '/tasks/pushNotification/set': 'CreateTaskPushNotificationConfig',
  '/tasks/pushNotification/get': 'GetTaskPushNotificationConfig',
};

type Body = { readonly value: unknown; readonly error?: never } | { readonly error: RollcallError };

function bodyOf(bytes: Uint8Array): Body {
  try {
    return { value: parseJson(bytes) };
  } catch (thrown) {
    return { error: toRollcallError(thrown) };
  }
}

/** One method of the early era as a path: takes a whole JSON-RPC envelope or bare params, and answers in kind. */
export function shimBinding(host: A2aHost, operation: Operation): HttpBinding {
  const { jsonRpc, streaming } = OPERATIONS[operation];
  const dialect = 'early';
  return {
    async handle(request, reply) {
      const body = bodyOf((request.body ?? new Uint8Array()) as Uint8Array);
      if (body.error !== undefined) return this.refuse(request, reply, body.error);
      const { call, refusal, enveloped: inEnvelope } = readShim(body.value, jsonRpc[dialect] as string);
      const formatFor = (id: string | number | null) => (inEnvelope ? enveloped(id, dialect) : bare(dialect, 200));
      if (refusal !== undefined) return formatFor(refusal.id).error(reply, refusal.error);
      const signal = openCall(host, reply, streaming);
      return answer(host, { request, reply, signal, format: formatFor(call.id ?? null) }, async () =>
        execute(host.core, callOf(request, { dialect }, signal), operation, call.params),
      );
    },
    // Which kind of body it was is not known: an envelope under a status tells callers of both.
    refuse: (_request, reply, error) => enveloped(null, dialect, ({ shape }) => shape.http).error(reply, error),
  };
}
