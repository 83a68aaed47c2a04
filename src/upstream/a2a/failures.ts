import { RollcallError } from '../../errors.ts';

/**
 * The other side does not accept how Rollcall signs in. It reads unlike the caller's own 401: that one has nothing to
 * mend here, the agent's owner has.
 *
 * @param who an origin or `host:port`: the only part of an address that holds no secrets.
 */
export const credentialsRefused = (who: string, how: string): RollcallError =>
  new RollcallError(
    'UPSTREAM_UNAUTHORIZED',
    `${who} refused the credentials that are stored with the agent, or asks for some and none are stored (${how}). Its owner replaces them with updateAgent: authentication.`,
  );

/** An HTTP answer that carries no A2A answer. `origin` is the only part of the URL that holds no secrets. */
export function httpFailure(status: number, origin: string): RollcallError {
  if (status === 401 || status === 403) return credentialsRefused(origin, `HTTP ${status}`);
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return new RollcallError('UPSTREAM_UNREACHABLE', `${origin} is not available at the moment (HTTP ${status}).`);
  }
  return new RollcallError('UPSTREAM_INVALID', `${origin} answered HTTP ${status} without an A2A answer.`);
}

/** Worth asking again: the agent may be back in a moment. */
export const isTransient = (error: unknown): error is RollcallError =>
  error instanceof RollcallError && (error.code === 'UPSTREAM_UNREACHABLE' || error.code === 'UPSTREAM_TIMEOUT');
