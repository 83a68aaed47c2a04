import type { StatusObject } from '@grpc/grpc-js';
import { RollcallError, toRollcallError } from '../errors.ts';
import type { FlyteLog } from './source.ts';

/** Anything thrown, as the gRPC status to answer with; what was not expected goes to the log and not to the caller. */
export function toStatus(thrown: unknown, log: FlyteLog): Pick<StatusObject, 'code' | 'details'> {
  const error = toRollcallError(thrown);
  if (!(thrown instanceof RollcallError)) log.error({ err: thrown }, 'Flyte call failed unexpectedly');
  return { code: error.shape.grpc, details: error.message };
}
