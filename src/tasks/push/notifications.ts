import type { Query } from '../../database/drivers.ts';
import { DIALECTS, type Dialect, type DialectName, type WriteOptions } from '../../protocol/a2a/dialects/index.ts';
import { eventOf, TaskFold } from '../fold.ts';
import type { Entry, LoggedEntry, TaskRow } from '../model.ts';
import { LOG_PAGE, logAfter } from '../reads.ts';

/** One notification, ready to be sent. */
export interface Notification {
  /** Its place in the log: what is delivered when it is. */
  readonly sequence: number;
  /** When the event happened. */
  readonly at: Date;
  readonly contentType: string;
  readonly body: string;
}

/** Entries that are read at a time: each webhook under delivery holds them in memory. */
const PAGE = 50;

/** An artifact that stands alone, or its last chunk: those in between come with the next whole task. */
const isWhole = ({ append, lastChunk }: Extract<Entry, { kind: 'artifact' }>): boolean =>
  lastChunk === true || (append !== true && lastChunk === undefined);

/**
 * What each kind of body tells of; of a log that was folded meanwhile, the task that stands for it. The protocol has no event for a message that joins the history. A whole task for each
 * chunk of a stream would cost the square of their number: there, status changes and whole artifacts are told.
 */
const TELLS: { readonly [B in Dialect['webhook']['body']]: (entry: Entry) => boolean } = {
  event: ({ kind }) => kind !== 'message',
  task: (entry) => entry.kind !== 'message' && (entry.kind !== 'artifact' || isWhole(entry)),
};

/** The notifications of one webhook, read from the log of its task. */
export class Notifications {
  readonly #query: Query;
  readonly #row: TaskRow;
  readonly #dialect: Dialect;
  readonly #options: WriteOptions;
  /** The task up to what was told last; only where bodies are whole tasks. */
  readonly #fold: TaskFold;
  #page: LoggedEntry[] = [];
  /** The log was read this far: everything before it was told, or is not to be told. */
  cursor: number;

  constructor(query: Query, row: TaskRow, dialect: DialectName, cursor: number) {
    this.#query = query;
    this.#row = row;
    this.#dialect = DIALECTS[dialect];
    this.#options = row.clientTaskId === null ? {} : { taskId: row.clientTaskId, contextId: row.contextId };
    this.#fold = new TaskFold(row);
    this.#fold.metadata = row.metadata;
    this.cursor = cursor;
  }

  /** The next one; undefined when the log has no more. The cursor stands before it until {@link passed}. */
  async next(): Promise<Notification | undefined> {
    for (;;) {
      if (this.#page.length === 0) this.#page = await logAfter(this.#query, this.#row.id, this.cursor, PAGE);
      const logged = this.#page[0];
      if (logged === undefined) return undefined;
      if (TELLS[this.#dialect.webhook.body](logged.entry)) return this.#about(logged);
      this.passed(logged.sequence);
    }
  }

  /** Everything up to `sequence` needs no more telling. */
  passed(sequence: number): void {
    this.cursor = sequence;
    while (this.#page[0] !== undefined && this.#page[0].sequence <= sequence) this.#page.shift();
  }

  async #about(logged: LoggedEntry): Promise<Notification> {
    const { webhook } = this.#dialect;
    if (webhook.body === 'task') await this.#foldTo(logged.sequence);
    const event = eventOf(logged, this.#row);
    const body = JSON.stringify(this.#dialect.writeWebhook(event, () => this.#fold.snapshot(), this.#options));
    return { sequence: logged.sequence, at: logged.at, contentType: webhook.contentType, body };
  }

  async #foldTo(sequence: number): Promise<void> {
    const fold = this.#fold;
    while (fold.sequence < sequence) {
      const limit = Math.min(LOG_PAGE, sequence - fold.sequence);
      const page = await logAfter(this.#query, this.#row.id, fold.sequence, limit);
      // The task was removed; so was the webhook, and nothing will be recorded.
      if (page.length === 0) return;
      for (const entry of page) fold.apply(entry);
    }
  }
}
