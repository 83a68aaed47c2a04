import { type RollcallError, toRollcallError } from '../errors.ts';
import { type JsonRpcCall, parseJson, readShim } from '../protocol/a2a/jsonrpc.ts';
import { OPERATIONS } from '../protocol/a2a/methods.ts';
import type { Operation } from '../protocol/a2a/requests.ts';
import { type AnswerFormat, answer, bare, enveloped, formatOf } from './answer.ts';
import { execute } from './execute.ts';
import { type A2aHost, type HttpBinding, openCall } from './host.ts';
import { callOf, checkPathVersion } from './http-call.ts';

/** The early era's methods as paths below the agent's base URL. */
export const SHIMS: { readonly [path: string]: Operation } = {
  '/tasks/send': 'SendMessage',
  '/tasks/sendSubscribe': 'SendStreamingMessage',
  '/tasks/get': 'GetTask',
  '/tasks/cancel': 'CancelTask',
  '/tasks/pushNotification/set': 'CreateTaskPushNotificationConfig',
  '/tasks/pushNotification/get': 'GetTaskPushNotificationConfig',
};

const DIALECT = 'early';

/** Of what cannot be read it is not known which kind of body it was: an envelope under a status tells callers of both. */
const ofEither = enveloped(null, DIALECT, ({ shape }) => shape.http);

type Reading = { readonly format: AnswerFormat } & (
  | { readonly call: JsonRpcCall; readonly error?: never }
  | { readonly error: RollcallError }
);

function readBody(bytes: Uint8Array, method: string): Reading {
  try {
    const { call, refusal, enveloped: inEnvelope } = readShim(parseJson(bytes), method);
    if (refusal !== undefined) return { error: refusal.error, format: enveloped(refusal.id, DIALECT) };
    return { call, format: inEnvelope ? formatOf(call.id, DIALECT) : bare(DIALECT, 200) };
  } catch (thrown) {
    return { error: toRollcallError(thrown), format: ofEither };
  }
}

/** One method of the early era as a path: takes a whole JSON-RPC envelope or bare params, and answers in kind. */
export function shimBinding(host: A2aHost, operation: Operation): HttpBinding {
  const { jsonRpc, streaming } = OPERATIONS[operation];
  return {
    async handle(request, reply) {
      const body = readBody((request.body ?? new Uint8Array()) as Uint8Array, jsonRpc[DIALECT] as string);
      const signal = openCall(host, reply, streaming);
      return answer(host, { request, reply, signal, format: body.format }, async () => {
        checkPathVersion(request, DIALECT);
        return execute(host.core, request.principal!, operation, () => {
          if (body.error !== undefined) throw body.error;
          return { call: callOf(request, { dialect: DIALECT }, signal), params: body.call.params };
        });
      });
    },
    refuse: (_request, reply, error) => ofEither.error(reply, error),
  };
}
