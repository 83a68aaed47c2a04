import { type ServerInterceptor, status } from '@grpc/grpc-js';

/** How a call ended. */
export interface EndedCall {
  /** With its package. */
  readonly service: string;
  readonly method: string;
  /** A name of gRPC's codes: `OK`, `NOT_FOUND`. */
  readonly code: string;
  readonly seconds: number;
}

/** A name of gRPC's codes. */
export const codeName = (code: number): string => status[code] ?? 'UNKNOWN';

interface Named {
  readonly service: string;
  readonly method: string;
}

/** There are as many as the server has methods. */
const names = new Map<string, Named>();

function nameOf(path: string): Named {
  const known = names.get(path);
  if (known !== undefined) return known;
  const [, service = '', method = ''] = path.split('/');
  const name = { service, method };
  names.set(path, name);
  return name;
}

/**
 * Tells of each call of a method that the server has, once, when it ended; CANCELLED when the caller left.
 *
 * What grpc itself refuses (a message that is too large, a deadline that passed) does not come by an interceptor's own
 * call: the given one is watched instead, through which everything goes out.
 */
export const observedCalls =
  (ended: (call: EndedCall) => void): ServerInterceptor =>
  ({ path }, call) => {
    const begun = performance.now();
    let over = false;
    const end = (code: number): void => {
      if (over) return;
      over = true;
      const { service, method } = nameOf(path);
      ended({ service, method, code: codeName(code), seconds: (performance.now() - begun) / 1_000 });
    };
    const { start, sendStatus } = call;
    call.start = (listener) => {
      // What watches is taken away again once it has seen its part. Node keeps the streams of HTTP/2 that have ended until
      // the next full collection, and with them all that hangs on the call.
      call.start = start;
      const { onCancel } = listener;
      listener.onCancel = () => {
        listener.onCancel = onCancel;
        end(status.CANCELLED);
        onCancel.call(listener);
      };
      start.call(call, listener);
    };
    call.sendStatus = (sent) => {
      call.sendStatus = sendStatus;
      end(sent.code);
      sendStatus.call(call, sent);
    };
    return call as ReturnType<ServerInterceptor>;
  };
