import { type Client, connectivityState } from '@grpc/grpc-js';
import { RollcallError } from '../../../errors.ts';

/**
 * Waits until a client is connected, or has found out that it cannot be: the call that follows then fails at once, and
 * says why. Without this, an address that swallows packets would take as long as the call itself may.
 *
 * @throws RollcallError UPSTREAM_TIMEOUT; the signal's reason on abort.
 */
export async function connected(
  client: Client,
  authority: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const channel = client.getChannel();
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY || state === connectivityState.TRANSIENT_FAILURE) return;
    if (state === connectivityState.SHUTDOWN) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => resolve();
      signal.addEventListener('abort', stop, { once: true });
      channel.watchConnectivityState(state, deadline, (error) => {
        signal.removeEventListener('abort', stop);
        if (error === undefined) resolve();
        else reject(new RollcallError('UPSTREAM_TIMEOUT', `${authority} did not accept a connection in time.`));
      });
    });
  }
}
