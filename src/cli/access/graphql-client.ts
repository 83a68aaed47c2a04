import { ERROR_SHAPES, type ErrorCode, RollcallError } from '../../errors.ts';

/** Asks a server's graph. */
export type Ask = <T>(query: string, variables?: Readonly<Record<string, unknown>>) => Promise<T>;

interface GraphError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A batch of records takes seconds on a slow disk; longer than this, nobody is answering. */
const TIMEOUT_MS = 120_000;

/**
 * A client of the graph at `url`.
 *
 * @throws RollcallError with the server's own code and message; UPSTREAM_UNREACHABLE, UPSTREAM_INVALID when what answers
 *   is not a Rollcall server.
 */
export function graphqlClient(url: string, token: string | undefined): Ask {
  const endpoint = new URL('graphql', url.endsWith('/') ? url : `${url}/`);
  return async <T>(query: string, variables?: Readonly<Record<string, unknown>>) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new RollcallError('UPSTREAM_UNREACHABLE', `${endpoint.origin} cannot be reached: ${reason(cause)}.`, {
        cause,
      });
    });
    const answer = (await response.json().catch(() => undefined)) as
      | { data?: T; errors?: readonly GraphError[]; detail?: string; code?: string }
      | undefined;
    const [error] = answer?.errors ?? [];
    if (error !== undefined) throw asRollcallError(error.message, error.extensions);
    if (answer?.data == null) {
      if (typeof answer?.detail === 'string') throw asRollcallError(answer.detail, answer);
      throw new RollcallError(
        'UPSTREAM_INVALID',
        `${endpoint.href} answered ${response.status} and no GraphQL: is this the address of a Rollcall server?`,
      );
    }
    return answer.data;
  };
}

function asRollcallError(message: string, extensions: Readonly<Record<string, unknown>> = {}): RollcallError {
  const { code, field, ...details } = extensions;
  const known = typeof code === 'string' && Object.hasOwn(ERROR_SHAPES, code) ? (code as ErrorCode) : 'INVALID_REQUEST';
  return new RollcallError(known, message, { ...(typeof field === 'string' ? { field } : {}), details });
}

/** What a failed fetch says, without its wrapping: "connect ECONNREFUSED 127.0.0.1:4000". */
function reason(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return 'no answer';
  if (inner.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} seconds`;
  return inner.message.split('\n')[0] || ((inner as NodeJS.ErrnoException).code ?? inner.name);
}
