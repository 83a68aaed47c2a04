import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Extra } from 'graphql-ws/use/ws';
import type { WebSocket } from 'ws';
import { atExpiry } from '../../auth/expiry.ts';
import type { Origin } from '../../auth/principal.ts';
import { newId } from '../../database/ids.ts';
import { RollcallError } from '../../errors.ts';
import { clientAddress } from '../../http/address.ts';
import type { Gate } from '../../http/gate.ts';
import type { Caller } from './context.ts';

/** What is remembered of a socket. */
export interface SocketExtra extends Record<PropertyKey, unknown> {
  caller?: Caller;
  /** Operations that are open. */
  open?: number;
  idle?: NodeJS.Timeout;
}

export interface SocketCallersOptions {
  readonly gate: Gate;
  /** Proxies in front whose X-Forwarded-For is believed. */
  readonly trustProxy: number;
  /** After this long without an operation a socket is closed; 0: never. Milliseconds. */
  readonly idleMs: number;
}

/** Close codes, besides those of graphql-transport-ws. */
const CLOSED = { tokenExpired: 4403, idle: 4408, tooMany: 4429 } as const;
/** Bytes of a close reason (RFC 6455 §5.5.1); those of ours are ASCII. */
const LONGEST_REASON = 120;
/** Operations that one socket may have open. */
const MOST_OPERATIONS = 1_000;

type Socket = Extra & Partial<SocketExtra>;

const refusal = ({ message, extensions }: Pick<RollcallError, 'message' | 'extensions'>): readonly GraphQLError[] => [
  new GraphQLError(message, { extensions }),
];

/** Who is behind the sockets: how many each caller has, until when, and how much they ask. */
export class SocketCallers {
  readonly #options: SocketCallersOptions;
  /** What gives back the place of a socket. */
  readonly #places = new WeakMap<WebSocket, () => void>();

  constructor(options: SocketCallersOptions) {
    this.#options = options;
  }

  /** Takes a place for a socket that nobody has signed in on yet: its address has it. @throws RollcallError RATE_LIMITED. */
  reserve(request: IncomingMessage): () => void {
    const { gate, trustProxy } = this.#options;
    return gate.openSocket(gate.addressKeyOf(clientAddress(request, trustProxy)));
  }

  /** The socket is there: it keeps its place until it closes. */
  opened(socket: WebSocket, place: () => void): void {
    this.#places.set(socket, place);
    socket.once('close', () => this.#places.get(socket)?.());
  }

  /** Signs the caller in; false for one who has too much, and is sent away. @throws RollcallError UNAUTHENTICATED. */
  async admit(extra: Socket, authorization: string | undefined): Promise<boolean> {
    const { gate, trustProxy } = this.#options;
    const { request, socket } = extra;
    const requestId = newId();
    const from: Origin = {
      door: 'websocket',
      address: clientAddress(request, trustProxy),
      userAgent: request.headers['user-agent'],
      requestId,
    };
    try {
      const { principal } = await gate.admit(from, authorization);
      // Subgraphs must know the caller too: a browser can put its token into the connection's parameters only.
      const headers = authorization === undefined ? request.headers : { ...request.headers, authorization };
      extra.caller = { principal, headers, requestId };
      if (!principal.anonymous) this.#move(socket, gate.openSocket(gate.keyOf(principal)));
      socket.once(
        'close',
        atExpiry(principal, () => socket.close(CLOSED.tokenExpired, 'token expired')),
      );
      this.rest(extra);
      return true;
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== 'RATE_LIMITED') throw error;
      socket.close(CLOSED.tooMany, error.message.slice(0, LONGEST_REASON));
      return false;
    }
  }

  /** Counts an operation; what is wrong with it, if anything is. */
  refuses(extra: Socket): readonly GraphQLError[] | undefined {
    if ((extra.open ?? 0) >= MOST_OPERATIONS) {
      const message = `This socket has ${MOST_OPERATIONS} operations open, the most there may be; open another socket, or complete some.`;
      return refusal({ message, extensions: { code: 'RATE_LIMITED' } });
    }
    try {
      this.#options.gate.charge(extra.caller!.principal);
      return undefined;
    } catch (error) {
      if (error instanceof RollcallError) return refusal(error);
      throw error;
    }
  }

  begun(extra: Socket): void {
    extra.open = (extra.open ?? 0) + 1;
    clearTimeout(extra.idle);
  }

  ended(extra: Socket): void {
    extra.open = (extra.open ?? 1) - 1;
    if (extra.open === 0) this.rest(extra);
  }

  /** Nothing runs on the socket: it is closed after a while. */
  rest(extra: Socket): void {
    const { idleMs } = this.#options;
    const { socket } = extra;
    clearTimeout(extra.idle);
    if (idleMs === 0 || socket.readyState !== socket.OPEN) return;
    const idle = setTimeout(() => socket.close(CLOSED.idle, 'no operation for too long'), idleMs).unref();
    extra.idle = idle;
    socket.once('close', () => clearTimeout(idle));
  }

  /** Who has signed in is counted wherever they are, and the address no longer. */
  #move(socket: WebSocket, place: () => void): void {
    this.#places.get(socket)?.();
    this.#places.set(socket, place);
    if (socket.readyState !== socket.OPEN) place();
  }
}
