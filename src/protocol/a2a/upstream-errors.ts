import { status as grpcStatus } from '@grpc/grpc-js';
import { type ErrorCode, RollcallError } from '../../errors.ts';
import { isObject } from './codec.ts';
import type { DialectName } from './dialects/dialect.ts';

/**
 * What an agent's error means to our caller. Whatever is wrong between Rollcall and the agent (credentials, versions,
 * envelopes) is not the caller's fault, and becomes UPSTREAM_INVALID.
 */

/** The domain of ErrorInfo reasons that the A2A specification defines. */
export const A2A_DOMAIN = 'a2a-protocol.org';

const BY_REASON: { readonly [reason: string]: ErrorCode } = {
  TASK_NOT_FOUND: 'TASK_NOT_FOUND',
  TASK_NOT_CANCELABLE: 'TASK_NOT_CANCELABLE',
  PUSH_NOTIFICATION_NOT_SUPPORTED: 'PUSH_NOT_SUPPORTED',
  UNSUPPORTED_OPERATION: 'UNSUPPORTED_OPERATION',
  CONTENT_TYPE_NOT_SUPPORTED: 'CONTENT_TYPE_NOT_SUPPORTED',
  INVALID_AGENT_RESPONSE: 'UPSTREAM_INVALID',
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: 'EXTENDED_CARD_NOT_CONFIGURED',
  EXTENSION_SUPPORT_REQUIRED: 'EXTENSION_SUPPORT_REQUIRED',
  VERSION_NOT_SUPPORTED: 'UPSTREAM_INVALID',
  INVALID_PARAMS: 'INVALID_INPUT',
};

const BY_JSON_RPC: { readonly [code: number]: ErrorCode } = {
  [-32601]: 'UNSUPPORTED_OPERATION',
  [-32602]: 'INVALID_INPUT',
  [-32001]: 'TASK_NOT_FOUND',
  [-32002]: 'TASK_NOT_CANCELABLE',
  [-32003]: 'PUSH_NOT_SUPPORTED',
  [-32004]: 'UNSUPPORTED_OPERATION',
  [-32005]: 'CONTENT_TYPE_NOT_SUPPORTED',
  [-32007]: 'EXTENDED_CARD_NOT_CONFIGURED',
  [-32008]: 'EXTENSION_SUPPORT_REQUIRED',
};
const BY_EARLY_JSON_RPC: { readonly [code: number]: ErrorCode } = {
  ...BY_JSON_RPC,
  [-32006]: 'UNSUPPORTED_OPERATION',
  [-32007]: 'UPSTREAM_INVALID',
  [-32008]: 'UPSTREAM_INVALID',
  [-32009]: 'UNSUPPORTED_OPERATION',
  [-32010]: 'RATE_LIMITED',
  [-32011]: 'UPSTREAM_UNREACHABLE',
};
const BY_HTTP: { readonly [status: number]: ErrorCode } = {
  400: 'INVALID_INPUT',
  404: 'TASK_NOT_FOUND',
  409: 'TASK_NOT_CANCELABLE',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'CONTENT_TYPE_NOT_SUPPORTED',
  422: 'INVALID_INPUT',
  429: 'RATE_LIMITED',
  501: 'UNSUPPORTED_OPERATION',
  502: 'UPSTREAM_UNREACHABLE',
  503: 'UPSTREAM_UNREACHABLE',
  504: 'UPSTREAM_TIMEOUT',
};
const BY_GRPC: { readonly [code: number]: ErrorCode } = {
  [grpcStatus.INVALID_ARGUMENT]: 'INVALID_INPUT',
  [grpcStatus.DEADLINE_EXCEEDED]: 'UPSTREAM_TIMEOUT',
  [grpcStatus.NOT_FOUND]: 'TASK_NOT_FOUND',
  [grpcStatus.RESOURCE_EXHAUSTED]: 'RATE_LIMITED',
  [grpcStatus.FAILED_PRECONDITION]: 'UNSUPPORTED_OPERATION',
  [grpcStatus.UNIMPLEMENTED]: 'UNSUPPORTED_OPERATION',
  [grpcStatus.UNAVAILABLE]: 'UPSTREAM_UNREACHABLE',
};

const LONGEST_TEXT = 500;

function fromAgent(
  code: ErrorCode,
  said: unknown,
  upstreamCode: number | string | undefined,
  details: unknown,
): RollcallError {
  const words = typeof said === 'string' && said.trim() !== '' ? said.trim().slice(0, LONGEST_TEXT) : 'no reason given';
  const field = fieldOf(details);
  return new RollcallError(code, `The agent answered with an error: ${words}`, {
    ...(field === undefined ? {} : { field }),
    ...(upstreamCode === undefined ? {} : { details: { upstreamCode } }),
  });
}

const objectsIn = (details: unknown): readonly { readonly [name: string]: unknown }[] =>
  Array.isArray(details) ? details.filter(isObject) : [];

function codeByReason(details: unknown): ErrorCode | undefined {
  for (const detail of objectsIn(details)) {
    const { reason, domain } = detail;
    if (domain === A2A_DOMAIN && typeof reason === 'string' && Object.hasOwn(BY_REASON, reason))
      return BY_REASON[reason];
  }
  return undefined;
}

/** A path that no route leads to and a task that is not there have one HTTP status: only what is said tells them apart. */
const isNoSuchRoute = (status: number, said: unknown, details: unknown): boolean =>
  status === 404 &&
  (said === 'UNIMPLEMENTED' || objectsIn(details).some(({ reason }) => reason === 'METHOD_NOT_FOUND'));

function fieldOf(details: unknown): string | undefined {
  for (const detail of objectsIn(details)) {
    const [first] = objectsIn(detail.fieldViolations);
    if (typeof first?.field === 'string' && first.field !== '') return first.field.slice(0, LONGEST_TEXT);
  }
  return undefined;
}

/** An agent's JSON-RPC `error`, whatever it is. */
export function fromJsonRpcError(error: unknown, dialect: DialectName): RollcallError {
  const { code, message, data } = isObject(error) ? error : { code: undefined, message: error, data: undefined };
  const table = dialect === 'early' ? BY_EARLY_JSON_RPC : BY_JSON_RPC;
  const number = typeof code === 'number' ? code : undefined;
  const meaning = codeByReason(data) ?? (number === undefined ? undefined : table[number]) ?? 'UPSTREAM_INVALID';
  return fromAgent(meaning, message, number, data);
}

/**
 * An agent's HTTP error answer.
 * @param body its JSON, or undefined when it has none
 * @param aboutTask whether the call named a task, so that a bare 404 speaks of that; else the address was wrong
 */
export function fromHttpError(status: number, body: unknown, aboutTask = true): RollcallError {
  const error = isObject(body) && isObject(body.error) ? body.error : body;
  // 0.3's binding answers a bare JSON-RPC error.
  if (isObject(error) && typeof error.code === 'number' && error.code < 0) return fromJsonRpcError(error, '0.3');
  const { message, details, said } = isObject(error)
    ? { message: error.message ?? error.detail ?? error.title, details: error.details, said: error.status }
    : { message: undefined, details: undefined, said: undefined };
  if (isNoSuchRoute(status, said, details)) {
    return fromAgent('UNSUPPORTED_OPERATION', message ?? 'HTTP 404', 'UNIMPLEMENTED', details);
  }
  const byStatus = status === 404 && !aboutTask ? undefined : BY_HTTP[status];
  return fromAgent(
    codeByReason(details) ?? byStatus ?? 'UPSTREAM_INVALID',
    message ?? `HTTP ${status}`,
    status,
    details,
  );
}

/** An error that an agent's stream ends with: the body of an HTTP error answer, whose status is its code, or a text. */
export function fromStreamedError(body: unknown): RollcallError {
  const error = isObject(body) && isObject(body.error) ? body.error : body;
  const code = isObject(error) ? error.code : undefined;
  const status = typeof code === 'number' && code >= 400 && code <= 599 ? code : 500;
  return fromHttpError(status, typeof error === 'string' ? { message: error } : body);
}

/** An agent's gRPC status; `details` as ProtoJSON Any values. */
export const fromRpcStatus = (status: {
  code: number;
  message?: string;
  details?: readonly unknown[];
}): RollcallError =>
  fromAgent(
    codeByReason(status.details) ?? BY_GRPC[status.code] ?? 'UPSTREAM_INVALID',
    status.message,
    grpcStatus[status.code] ?? status.code,
    status.details,
  );
