import { RollcallError } from '../../errors.ts';

/** An HTTP answer that carries no A2A answer. `origin` is the only part of the URL that holds no secrets. */
export function httpFailure(status: number, origin: string): RollcallError {
  if (status === 401 || status === 403) {
    return new RollcallError(
      'UPSTREAM_INVALID',
      `${origin} refused Rollcall's credentials (HTTP ${status}); store the right ones with the agent.`,
    );
  }
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return new RollcallError('UPSTREAM_UNREACHABLE', `${origin} is not available at the moment (HTTP ${status}).`);
  }
  return new RollcallError('UPSTREAM_INVALID', `${origin} answered HTTP ${status} without an A2A answer.`);
}

/** Worth asking again: the agent may be back in a moment. */
export const isTransient = (error: unknown): boolean =>
  error instanceof RollcallError && (error.code === 'UPSTREAM_UNREACHABLE' || error.code === 'UPSTREAM_TIMEOUT');
