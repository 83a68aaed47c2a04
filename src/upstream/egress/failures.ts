import { type ErrorCode, RollcallError } from '../../errors.ts';

type Row = readonly [pattern: RegExp, code: ErrorCode, what: string];

/** What Node's and undici's error codes mean to whoever reads the message. The first row that matches wins. */
const FAILURES: readonly Row[] = [
  [/^ECONNREFUSED$/, 'UPSTREAM_UNREACHABLE', 'refused the connection'],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    'UPSTREAM_UNREACHABLE',
    'reset or closed the connection before its answer was complete',
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|EPERM)$/,
    'UPSTREAM_UNREACHABLE',
    'cannot be reached: there is no route',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'UPSTREAM_UNREACHABLE', 'cannot be resolved'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'UPSTREAM_TIMEOUT', 'did not accept a connection in time'],
  [/^UND_ERR_HEADERS_OVERFLOW$/, 'PAYLOAD_TOO_LARGE', 'answered with larger headers than are accepted'],
  [/^UND_ERR_RES_CONTENT_LENGTH_MISMATCH$/, 'UPSTREAM_INVALID', 'sent a body of another length than it announced'],
  [/^HPE_/, 'UPSTREAM_INVALID', 'did not answer in valid HTTP'],
  [
    /^(UND_ERR_DESTROYED|UND_ERR_CLOSED)$/,
    'SHUTTING_DOWN',
    'was not asked, or not to the end: the server is shutting down',
  ],
  [/^UND_ERR_INVALID_ARG$/, 'INVALID_INPUT', 'cannot be sent this request: a header or the method is malformed'],
  [
    /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_EXCEEDED|ERR_TLS_|ERR_SSL_|EPROTO)/,
    'UPSTREAM_UNREACHABLE',
    'cannot be reached: TLS failed',
  ],
];

/**
 * Anything a call died of, as a RollcallError that says which host and how. Errors of ours and the caller's own abort
 * reason pass unchanged.
 *
 * @param origin scheme, host and port: the only part of a URL that holds no secrets.
 */
export function describeFailure(thrown: unknown, origin: string, caller: AbortSignal | undefined): unknown {
  if (thrown instanceof RollcallError || (caller?.aborted && thrown === caller.reason)) return thrown;
  const code = errorCode(thrown);
  const row = FAILURES.find(([pattern]) => pattern.test(code));
  if (row === undefined) {
    return new RollcallError('UPSTREAM_UNREACHABLE', `${origin} cannot be reached.`, { cause: thrown });
  }
  const [, errorCodeOf, what] = row;
  return new RollcallError(errorCodeOf, `${origin} ${what} (${code}).`, { cause: thrown });
}

function errorCode(thrown: unknown): string {
  if (!(thrown instanceof Error)) return '';
  // undici's parser errors come with a code only for some of the ways in which HTTP can be broken.
  if (thrown.name === 'HTTPParserError') return 'HPE_INVALID';
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
