import { RollcallError } from '../errors.ts';

/**
 * A failure of the other side, beginning with the agent that it is about: many agents may share an origin, and some texts
 * name nobody. A copy, as callers of one token server share its error. Other errors, and the caller's own abort reason,
 * stay as they are.
 */
export function naming(handle: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || !(error instanceof RollcallError) || !error.code.startsWith('UPSTREAM_')) return error;
  const { code, message, field, details, cause } = error;
  return new RollcallError(code, `Agent ${handle}: ${message}`, {
    ...(field === undefined ? {} : { field }),
    details,
    cause,
  });
}
