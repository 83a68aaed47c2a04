import { EXPIRED, Expiry, tokenExpired } from '../auth/expiry.ts';
import type { Principal } from '../auth/principal.ts';

/**
 * The same stream, which ends when the reader's token does.
 *
 * @throws RollcallError UNAUTHENTICATED then.
 */
export function untilExpiry<T>(principal: Principal, source: AsyncGenerator<T>): AsyncGenerator<T> {
  return principal.expiresAt === undefined ? source : cut(principal, source);
}

async function* cut<T>(principal: Principal, source: AsyncGenerator<T>): AsyncGenerator<T> {
  const expiry = new Expiry(principal);
  try {
    while (true) {
      const next = await expiry.outlived(source.next());
      if (next === EXPIRED) throw tokenExpired();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    expiry.callOff();
    // Not awaited: a source that waits for its next event answers only once its signal aborts.
    void source.return(undefined).catch(() => undefined);
  }
}
