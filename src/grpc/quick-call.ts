import { type Client, Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { type Connection, type ConnectionCall, type ConnectionListener, connectionOf } from './connection.ts';
import { framed, HEADER_BYTES } from './framed.ts';

const failed = (ended: StatusObject): ServiceError =>
  Object.assign(new Error(`${ended.code} ${status[ended.code]}: ${ended.details}`), ended);

/** The message, and the status of the call. */
function answerOf(message: Buffer | undefined, ended: StatusObject): Buffer | ServiceError {
  if (ended.code !== status.OK) return failed(ended);
  const { metadata } = ended;
  if (message === undefined) return failed({ code: status.UNIMPLEMENTED, details: 'No message received', metadata });
  // No compression was offered, so none may be used (gRPC over HTTP/2, "Compressed-Flag").
  if (message[0] !== 0)
    return failed({ code: status.INTERNAL, details: 'The message is compressed, which was not offered', metadata });
  return message.subarray(HEADER_BYTES);
}

/** What goes with a call. */
export interface QuickCallOptions {
  readonly metadata: Metadata;
  /** Epoch milliseconds, a day from now at most. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/**
 * One unary call, bytes in and bytes out, over the connection that the client has now: where the same is called thousands
 * of times a second, what grpc's client does for a call costs more than the call. It is sent once at most.
 *
 * @throws ServiceError; UNAVAILABLE when the client is not connected, DEADLINE_EXCEEDED, CANCELLED when the signal says so
 */
export const quickCall = (client: Client, path: string, request: Buffer, options: QuickCallOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    new QuickCall(resolve, reject, options.signal).start(client, path, request, options);
  });

type Ending = Pick<StatusObject, 'code' | 'details'>;

const LATE: Ending = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
const CANCELLED: Ending = { code: status.CANCELLED, details: 'Cancelled on client' };

type Settle = [(message: Buffer) => void, (error: ServiceError) => void];

class QuickCall implements ConnectionListener {
  /** Undefined once it is settled. */
  #settle: Settle | undefined;
  #signal: AbortSignal | undefined;
  #channel: Connection['channel'] | undefined;
  #call: ConnectionCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  #message: Buffer | undefined;

  constructor(resolve: Settle[0], reject: Settle[1], signal: AbortSignal) {
    this.#settle = [resolve, reject];
    this.#signal = signal;
  }

  start(client: Client, path: string, request: Buffer, { metadata, deadline, signal }: QuickCallOptions): void {
    const left = deadline - Date.now();
    const refusal = left <= 0 ? LATE : signal.aborted ? CANCELLED : undefined;
    if (refusal !== undefined) {
      this.#end(refusal);
      return;
    }
    const sent = metadata.clone();
    sent.set('grpc-timeout', `${Math.ceil(left)}m`);
    const connection = connectionOf(client.getChannel(), sent);
    const call = this.#open(connection, sent, path);
    if (connection === undefined || call === undefined) {
      this.#end({ code: status.UNAVAILABLE, details: 'The connection is gone' });
      return;
    }
    const { channel } = connection;
    channel.onCallStart();
    this.#channel = channel;
    this.#call = call;
    this.#timer = setTimeout(this.#late, left);
    signal.addEventListener('abort', this.#cancel, { once: true });
    call.sendMessageWithContext({}, framed(request));
    call.halfClose();
    call.startRead();
  }

  #open(connection: Connection | undefined, sent: Metadata, path: string): ConnectionCall | undefined {
    try {
      return connection?.subchannel.createCall(sent, connection.channel.defaultAuthority, path, this, 0);
    } catch {
      // Between the choice of a connection and its use it may have begun to close.
      return undefined;
    }
  }

  onReceiveMetadata(): void {
    // Nothing of it is wanted.
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#message !== undefined) {
      this.#call?.cancelWithStatus(status.UNIMPLEMENTED, 'Too many responses received');
    }
    this.#message = message;
    this.#call?.startRead();
  }

  onReceiveStatus(ended: StatusObject): void {
    const message = this.#message;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#cancel);
    this.#channel?.onCallEnd(ended);
    const [resolve, reject] = this.#settle ?? [];
    // Node keeps the streams of HTTP/2 that have ended until the next full collection, and with them this.
    this.#settle = this.#signal = this.#channel = this.#call = this.#timer = this.#message = undefined;
    const answer = answerOf(message, ended);
    if (answer instanceof Error) reject?.(answer);
    else resolve?.(answer);
  }

  readonly #late = (): void => this.#stop(LATE);
  readonly #cancel = (): void => this.#stop(CANCELLED);

  #stop({ code, details }: Ending): void {
    this.#call?.cancelWithStatus(code, details);
  }

  #end(ending: Ending): void {
    this.onReceiveStatus({ ...ending, metadata: new Metadata() });
  }
}
