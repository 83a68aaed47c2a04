import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** How long a reserved stream waits for its reader. Milliseconds. */
const UNOPENED_MS = 60_000;

interface Reservation {
  readonly owner: string;
  readonly release: () => void;
  unopened: NodeJS.Timeout;
}

/**
 * Who reserved which event stream (single connection mode). A token alone opens nothing: a stream takes operations of its
 * owner only, and is read by its owner only.
 */
export class Reservations {
  readonly #made = new Map<string, Reservation>();
  readonly #abandon: (token: string) => void;

  /** @param abandon is told of a stream that nobody came to read. */
  constructor(abandon: (token: string) => void) {
    this.#abandon = abandon;
  }

  /** The token that a request gives, if any: that of its header, else of its query. */
  static tokenIn({ headers, query }: FastifyRequest): string | undefined {
    const given = headers['x-graphql-event-stream-token'] ?? (query as Record<string, unknown>)['token'];
    return typeof given === 'string' && given !== '' ? given : undefined;
  }

  isOf(token: string, owner: string): boolean {
    return this.#made.get(token)?.owner === owner;
  }

  /** Makes one, under a token of ours: one that a caller chose could be guessed. @param release gives its place back. */
  make(owner: string, release: () => void): string {
    const token = randomUUID();
    const unopened = setTimeout(() => this.#abandon(token), UNOPENED_MS).unref();
    this.#made.set(token, { owner, release, unopened });
    return token;
  }

  /** Its reader is there. */
  opened(token: string): void {
    clearTimeout(this.#made.get(token)?.unopened);
  }

  /** Its reader has gone. */
  ended(token: string): void {
    const reservation = this.#made.get(token);
    if (reservation === undefined) return;
    this.#made.delete(token);
    clearTimeout(reservation.unopened);
    reservation.release();
  }
}
