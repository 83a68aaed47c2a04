import type { ClientReadableStream, ServerDuplexStream, ServerWritableStream, ServiceError } from '@grpc/grpc-js';
import type { FlyteLog } from '../source.ts';
import { routedStatus, withLostConnection } from './calls.ts';

type Caller = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Ends a caller's stream with anything thrown, as a status. */
export function fail(caller: Caller, thrown: unknown, log: FlyteLog): void {
  caller.emit('error', routedStatus(thrown, log));
}

/**
 * Passes a deployment's messages and its status on to the caller, no faster than the caller reads; cancels the deployment's
 * stream when the caller cancels.
 * @param ended called once, with the error if there was one
 */
export function relay(
  deployment: ClientReadableStream<Buffer>,
  caller: Caller,
  log: FlyteLog,
  ended: (error?: ServiceError) => void,
): void {
  let over = false;
  const end = (error?: ServiceError): void => {
    if (over) return;
    over = true;
    ended(error);
    if (error === undefined) caller.end();
    else fail(caller, error, log);
  };
  const cancel = (): void => deployment.cancel();
  caller.on('cancelled', cancel);
  caller.on('drain', () => deployment.resume());
  deployment.on('data', (message: Buffer) => {
    if (!caller.write(message)) deployment.pause();
  });
  deployment.on('error', (error: ServiceError) => end(withLostConnection(error)));
  deployment.on('end', () => end());
  if (caller.cancelled) cancel();
}
