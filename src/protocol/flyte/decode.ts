import { RollcallError } from '../../errors.ts';

/** A whole message. @throws RollcallError INVALID_INPUT for bytes that are no such message: the caller's mistake, not ours. */
export function decoded<T>(message: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return message.decode(bytes);
  } catch (cause) {
    throw new RollcallError('INVALID_INPUT', 'The request is not a valid protobuf message.', { cause });
  }
}
