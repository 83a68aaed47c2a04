import { type handleUnaryCall, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';

/**
 * How much each caller may ask for. Flyte's callers present no token and act as one principal, so they are told apart by
 * address. Listing and health are not counted: propeller forgets every task type after one failure.
 */
export interface CallerLimits {
  /** Counts a call. @param peer `host:port`, as grpc gives it @throws RollcallError RATE_LIMITED */
  count(peer: string): void;
  /** Takes a place for a stream; the answer gives it back. @throws RollcallError RATE_LIMITED */
  openStream(peer: string): () => void;
}

type Unary = handleUnaryCall<Buffer, Buffer>;
type Stream = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** The handler, for callers who keep within the limits. @param refuse the status of a refusal */
export function limitedUnary(
  limits: CallerLimits | undefined,
  refuse: (thrown: unknown) => Parameters<Parameters<Unary>[1]>[0],
  handle: Unary,
): Unary {
  if (limits === undefined) return handle;
  return (call, callback) => {
    try {
      limits.count(call.getPeer());
    } catch (thrown) {
      callback(refuse(thrown));
      return;
    }
    handle(call, callback);
  };
}

/** As {@link limitedUnary}, for a stream, which also takes a place for as long as it is open. */
export function limitedStream<S extends Stream>(
  limits: CallerLimits | undefined,
  refuse: (stream: S, thrown: unknown) => void,
  handle: (stream: S) => void,
): (stream: S) => void {
  if (limits === undefined) return handle;
  return (stream) => {
    try {
      const peer = stream.getPeer();
      limits.count(peer);
      // Comes of every stream in the end.
      stream.once('cancelled', limits.openStream(peer));
    } catch (thrown) {
      refuse(stream, thrown);
      return;
    }
    handle(stream);
  };
}
