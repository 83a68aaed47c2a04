/** What precedes a message: whether it is compressed, and its length. */
export const HEADER_BYTES = 5;

/** A message as gRPC frames it, not compressed. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, HEADER_BYTES);
  return frame;
}
