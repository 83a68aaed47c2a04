import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { RollcallError, toRollcallError } from '../errors.ts';
import { toRpcStatus } from '../protocol/a2a/errors.ts';
import { writeStatus } from '../protocol/a2a/protobuf.ts';
import type { FlyteLog } from './source.ts';

/** When to try again, as gRPC's clients read it: a google.rpc.RetryInfo. */
function retryHint(error: RollcallError): Metadata | undefined {
  if (error.details['retryAfterSeconds'] === undefined) return undefined;
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(writeStatus(toRpcStatus(error))));
  return metadata;
}

/** Anything thrown, as the gRPC status to answer with; what was not expected goes to the log and not to the caller. */
export function toStatus(
  thrown: unknown,
  log: FlyteLog,
): Pick<StatusObject, 'code' | 'details'> & Partial<StatusObject> {
  const error = toRollcallError(thrown);
  if (!(thrown instanceof RollcallError)) log.error({ err: thrown }, 'Flyte call failed unexpectedly');
  const metadata = retryHint(error);
  return { code: error.shape.grpc, details: error.message, ...(metadata === undefined ? {} : { metadata }) };
}
