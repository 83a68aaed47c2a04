import { status as grpcStatus } from '@grpc/grpc-js';

/** How one error code reads in each protocol. `a2a` is the ErrorInfo reason where A2A 1.0 names this failure (spec §5.4). */
export interface ErrorShape {
  /** HTTP status of REST answers, and the `status` of an RFC 9457 problem document. */
  readonly http: number;
  /** `title` of the problem document: the same words for every occurrence. */
  readonly title: string;
  /** JSON-RPC 2.0 error code. */
  readonly jsonRpc: number;
  /** gRPC status code. */
  readonly grpc: number;
  /** ErrorInfo `reason` in domain a2a-protocol.org; absent where A2A has no name of its own for it. */
  readonly a2a?: string;
}

const shape = (http: number, title: string, jsonRpc: number, grpc: number, a2a?: string): ErrorShape =>
  a2a === undefined ? { http, title, jsonRpc, grpc } : { http, title, jsonRpc, grpc, a2a };

const S = grpcStatus;

/**
 * Every failure that Rollcall reports, and how it reads in GraphQL (`extensions.code` is the key itself), HTTP,
 * JSON-RPC, A2A and gRPC. The list is closed: a new failure is a new row here and a new line in docs/errors.md.
 * The A2A rows carry the values of specification 1.0.1 §5.4.
 */
export const ERROR_SHAPES = {
  INVALID_INPUT: shape(400, 'Invalid input', -32602, S.INVALID_ARGUMENT, 'INVALID_PARAMS'),
  INVALID_REQUEST: shape(400, 'Invalid request', -32600, S.INVALID_ARGUMENT),
  PARSE_ERROR: shape(400, 'Malformed JSON', -32700, S.INVALID_ARGUMENT),
  METHOD_NOT_FOUND: shape(404, 'Unknown method', -32601, S.UNIMPLEMENTED),
  UNAUTHENTICATED: shape(401, 'Authentication required', -32600, S.UNAUTHENTICATED),
  FORBIDDEN: shape(403, 'Not allowed', -32600, S.PERMISSION_DENIED),
  NOT_FOUND: shape(404, 'Not found', -32602, S.NOT_FOUND),
  ALREADY_EXISTS: shape(409, 'Already exists', -32602, S.ALREADY_EXISTS),
  STALE_REVISION: shape(409, 'Changed by someone else meanwhile', -32602, S.ABORTED),
  FAILED_PRECONDITION: shape(409, 'Not possible in the present state', -32602, S.FAILED_PRECONDITION),
  AGENT_INACTIVE: shape(409, 'The agent is inactive', -32004, S.FAILED_PRECONDITION, 'UNSUPPORTED_OPERATION'),
  AGENT_NOT_REACHABLE: shape(
    409,
    'The agent declares no endpoint',
    -32004,
    S.FAILED_PRECONDITION,
    'UNSUPPORTED_OPERATION',
  ),
  PAYLOAD_TOO_LARGE: shape(413, 'Too large', -32600, S.RESOURCE_EXHAUSTED),
  UNSUPPORTED_MEDIA_TYPE: shape(415, 'Unsupported media type', -32600, S.INVALID_ARGUMENT),
  RATE_LIMITED: shape(429, 'Too many requests', -32603, S.RESOURCE_EXHAUSTED),
  QUERY_TOO_COMPLEX: shape(400, 'The query exceeds a limit', -32602, S.RESOURCE_EXHAUSTED),
  EGRESS_DENIED: shape(403, 'Address not allowed', -32602, S.PERMISSION_DENIED),
  CARD_INVALID: shape(422, 'The agent card is not valid', -32602, S.INVALID_ARGUMENT),
  UPSTREAM_UNREACHABLE: shape(502, 'The other side cannot be reached', -32603, S.UNAVAILABLE),
  UPSTREAM_TIMEOUT: shape(504, 'The other side did not answer in time', -32603, S.DEADLINE_EXCEEDED),
  UPSTREAM_UNAUTHORIZED: shape(502, 'The other side refuses the stored credentials', -32603, S.FAILED_PRECONDITION),
  UPSTREAM_INVALID: shape(500, 'The other side answered wrongly', -32006, S.INTERNAL, 'INVALID_AGENT_RESPONSE'),
  OUTCOME_UNKNOWN: shape(500, 'The outcome is not known', -32603, S.UNKNOWN),
  TASK_NOT_FOUND: shape(404, 'Task not found', -32001, S.NOT_FOUND, 'TASK_NOT_FOUND'),
  TASK_NOT_CANCELABLE: shape(400, 'Task cannot be cancelled', -32002, S.FAILED_PRECONDITION, 'TASK_NOT_CANCELABLE'),
  PUSH_NOT_SUPPORTED: shape(
    400,
    'Push notifications are not supported',
    -32003,
    S.FAILED_PRECONDITION,
    'PUSH_NOTIFICATION_NOT_SUPPORTED',
  ),
  UNSUPPORTED_OPERATION: shape(400, 'Operation not supported', -32004, S.FAILED_PRECONDITION, 'UNSUPPORTED_OPERATION'),
  CONTENT_TYPE_NOT_SUPPORTED: shape(
    400,
    'Content type not supported',
    -32005,
    S.INVALID_ARGUMENT,
    'CONTENT_TYPE_NOT_SUPPORTED',
  ),
  EXTENDED_CARD_NOT_CONFIGURED: shape(
    400,
    'No extended card',
    -32007,
    S.FAILED_PRECONDITION,
    'EXTENDED_AGENT_CARD_NOT_CONFIGURED',
  ),
  EXTENSION_SUPPORT_REQUIRED: shape(
    400,
    'Extension required',
    -32008,
    S.FAILED_PRECONDITION,
    'EXTENSION_SUPPORT_REQUIRED',
  ),
  VERSION_NOT_SUPPORTED: shape(400, 'Version not supported', -32009, S.FAILED_PRECONDITION, 'VERSION_NOT_SUPPORTED'),
  OVERLOADED: shape(503, 'Too much at once', -32603, S.RESOURCE_EXHAUSTED),
  GRAPH_NOT_LOADED: shape(503, 'No graph is loaded yet', -32603, S.UNAVAILABLE),
  DATABASE_UNAVAILABLE: shape(503, 'The database cannot be reached', -32603, S.UNAVAILABLE),
  SHUTTING_DOWN: shape(503, 'Shutting down', -32603, S.UNAVAILABLE),
  INTERNAL: shape(500, 'Internal error', -32603, S.INTERNAL),
} as const satisfies Record<string, ErrorShape>;

/** A code of {@link ERROR_SHAPES}. */
export type ErrorCode = keyof typeof ERROR_SHAPES;

/** What an error may carry besides code and message. Nothing in it may be secret: it goes to the caller. */
export interface ErrorDetails {
  /** The input that is wrong, as a path in the caller's terms: `input.skills[1].key`. */
  readonly field?: string;
  /** Further facts for programs, for instance the id of the thing that already exists. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The original failure: for the log, never for the caller. */
  readonly cause?: unknown;
}

/** The one error class of the product. The message says what is wrong and what to do about it, and is safe to show. */
export class RollcallError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, more: ErrorDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'RollcallError';
    this.code = code;
    this.field = more.field;
    this.details = more.details ?? {};
  }

  /** GraphQL's `extensions`: graphql-js copies them from the error that a resolver threw. */
  get extensions(): Record<string, unknown> {
    return { code: this.code, ...(this.field === undefined ? {} : { field: this.field }), ...this.details };
  }

  /** How this error reads in each protocol. */
  get shape(): ErrorShape {
    return ERROR_SHAPES[this.code];
  }
}

/** A wrong input: names the field. */
export const invalid = (field: string, message: string): RollcallError =>
  new RollcallError('INVALID_INPUT', `${field}: ${message}`, { field });

/** Of the network and of PostgreSQL: what passes by itself, and is not the fault of what was asked. */
const DATABASE_AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  // After a failover: still connected to what is a standby now.
  '25006',
  '53100',
  '53300',
]);

/**
 * Anything thrown, as a RollcallError: itself when it is one, `DATABASE_UNAVAILABLE` for a lost database connection,
 * else `INTERNAL` with a message that gives nothing away (the original stays in `cause`, for the log).
 */
export function toRollcallError(thrown: unknown): RollcallError {
  for (
    let e: unknown = thrown, depth = 0;
    e instanceof Error && depth < 5;
    e = e.cause ?? (e as { previous?: unknown }).previous, depth++
  ) {
    if (e instanceof RollcallError) return e;
    const code = (e as { code?: unknown }).code;
    if (
      (typeof code === 'string' && DATABASE_AWAY.has(code)) ||
      /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect/.test(
        e.message,
      )
    ) {
      return new RollcallError(
        'DATABASE_UNAVAILABLE',
        'The database cannot be reached at the moment; try again shortly.',
        { cause: thrown },
      );
    }
  }
  return new RollcallError(
    'INTERNAL',
    'Something went wrong on our side; the log has the details under this request id.',
    { cause: thrown },
  );
}

/** An RFC 9457 problem document: `type` is about:blank#CODE-free, the code is the extension member `code`. */
export function toProblem(
  error: RollcallError,
): { type: string; title: string; status: number; detail: string; code: ErrorCode; field?: string } & Record<
  string,
  unknown
> {
  return {
    type: 'about:blank',
    title: error.shape.title,
    status: error.shape.http,
    detail: error.message,
    code: error.code,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...error.details,
  };
}
