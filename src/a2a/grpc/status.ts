import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { RollcallError } from '../../errors.ts';
import { toRpcStatus } from '../../protocol/a2a/errors.ts';
import { writeStatus } from '../../protocol/a2a/protobuf.ts';

/** Longest text of an error: it travels in headers, of which clients take 8 kB. */
const MAX_TEXT = 1_000;

/** An error as gRPC carries it: status, message, and the typed details in a trailer. */
export function toServiceError(error: RollcallError): ServiceError {
  const metadata = new Metadata();
  const status = toRpcStatus(error);
  const message = status.message.slice(0, MAX_TEXT);
  const details = status.details.filter((detail) => JSON.stringify(detail).length <= 2 * MAX_TEXT);
  metadata.set('grpc-status-details-bin', Buffer.from(writeStatus({ ...status, message, details })));
  return Object.assign(new Error(message), { code: status.code, details: message, metadata });
}
