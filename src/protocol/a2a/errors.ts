import { status as grpcStatus } from '@grpc/grpc-js';
import type { RollcallError } from '../../errors.ts';
import type { DialectName } from './dialects/dialect.ts';
import { A2A_DOMAIN } from './upstream-errors.ts';

export { fromHttpError, fromJsonRpcError, fromRpcStatus, fromStreamedError } from './upstream-errors.ts';

/** How our errors look in each dialect and binding of A2A (specification 1.0 §5.4, §9.5, §10.6, §11.6). */

/** The domain of the reasons that A2A has no name for: our own codes. */
const OWN_DOMAIN = 'rollcall';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

export interface ErrorInfo {
  readonly '@type': typeof ERROR_INFO;
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}
export interface BadRequest {
  readonly '@type': typeof BAD_REQUEST;
  readonly fieldViolations: readonly { readonly field: string; readonly description: string }[];
}
export interface RetryInfo {
  readonly '@type': typeof RETRY_INFO;
  /** Seconds and an "s", as ProtoJSON writes a Duration. */
  readonly retryDelay: string;
}
export type ErrorDetail = ErrorInfo | BadRequest | RetryInfo;

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** google.rpc.Status as a plain object; `details` are ProtoJSON Any values. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

const metadataOf = (error: RollcallError): Record<string, string> => {
  const metadata: Record<string, string> = {};
  // Several of our codes share one A2A reason: the code says which it was.
  if (error.shape.a2a !== undefined && error.shape.a2a !== error.code) metadata.code = error.code;
  for (const [name, value] of Object.entries(error.details)) {
    if (['string', 'number', 'boolean', 'bigint'].includes(typeof value)) metadata[name] = String(value);
  }
  return metadata;
};

/** The field that is wrong, where it is the caller's: a server error may name one of somebody else's answer. */
const callersField = ({ field, shape }: RollcallError): string | undefined => (shape.http < 500 ? field : undefined);

/** The typed details of an error: always an ErrorInfo, for a wrong input the field, and when to try again where that is known. */
export function errorDetails(error: RollcallError): readonly ErrorDetail[] {
  const { a2a } = error.shape;
  const info: ErrorInfo = {
    '@type': ERROR_INFO,
    reason: a2a ?? error.code,
    domain: a2a === undefined ? OWN_DOMAIN : A2A_DOMAIN,
    metadata: metadataOf(error),
  };
  const details: ErrorDetail[] = [info];
  const field = callersField(error);
  if (field !== undefined)
    details.push({ '@type': BAD_REQUEST, fieldViolations: [{ field, description: error.message }] });
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === 'number') details.push({ '@type': RETRY_INFO, retryDelay: `${retryAfterSeconds}s` });
  return details;
}

/** Codes that meant something else in the early era's documents, and what says it there. */
const EARLY_CODES: { readonly [code: number]: number } = {
  [-32006]: -32603,
  [-32007]: -32004,
  [-32008]: -32602,
  [-32009]: -32602,
};

/**
 * The `error` of a JSON-RPC answer. 1.0's data is a list of typed details; the older dialects have no rule for it, and
 * get one plain object.
 */
export function toJsonRpcError(error: RollcallError, dialect: DialectName = '1.0'): JsonRpcError {
  const { jsonRpc } = error.shape;
  if (dialect === '1.0') return { code: jsonRpc, message: error.message, data: errorDetails(error) };
  const field = callersField(error);
  const data = { ...metadataOf(error), ...(field === undefined ? {} : { field }), code: error.code };
  return { code: dialect === 'early' ? (EARLY_CODES[jsonRpc] ?? jsonRpc) : jsonRpc, message: error.message, data };
}

/** Status and body of an HTTP+JSON answer. 0.3's binding answers what its JSON-RPC would, without the envelope. */
export function toHttpError(error: RollcallError, dialect: DialectName = '1.0'): { status: number; body: unknown } {
  const { http, grpc } = error.shape;
  if (dialect !== '1.0') return { status: http, body: toJsonRpcError(error, dialect) };
  const body = { code: http, status: grpcStatus[grpc], message: error.message, details: errorDetails(error) };
  return { status: http, body: { error: body } };
}

/** google.rpc.Status for `grpc-status-details-bin`. */
export const toRpcStatus = (error: RollcallError): RpcStatus => ({
  code: error.shape.grpc,
  message: error.message,
  details: errorDetails(error),
});
