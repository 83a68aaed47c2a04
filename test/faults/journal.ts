import type { Order } from './agent-protocol.ts';

/** One event of a stream, as far as every face has it. */
export interface Seen {
  readonly kind: 'snapshot' | 'status' | 'artifact' | 'message';
  /** In the words of the model: `input-required`. */
  readonly state?: string | undefined;
  /** Of an artifact, or of all artifacts of a snapshot. */
  readonly text?: string | undefined;
  readonly append?: boolean | undefined;
}

/** An event as a client wrote it down. */
export interface Entry extends Seen {
  /** Its place in the log; the SDK does not tell. */
  readonly sequence: number | undefined;
  /** As it came. */
  readonly raw: unknown;
}

/** What a client knows about its task: written as it comes, and kept while the server is dead. */
export interface Journal {
  readonly client: string;
  readonly agentId: string;
  readonly messageId: string;
  readonly text: string;
  /** Undefined for an agent that takes no orders. */
  readonly order: Order | undefined;
  readonly retrySafe: boolean;
  /** The task that the server has acknowledged. */
  taskId: string | undefined;
  readonly entries: Entry[];
  /** How often a request of it has been handed to the kernel. */
  written: number;
  /** How often it came back after its connection was lost. */
  returns: number;
}

const ENDS: ReadonlySet<string | undefined> = new Set(['completed', 'failed', 'canceled', 'rejected']);

export const stateOf = (journal: Journal): string | undefined =>
  journal.entries.findLast((entry) => entry.state !== undefined)?.state;

export const hasEnded = (journal: Journal): boolean => ENDS.has(stateOf(journal));

/** The last sequence that it has. */
export const cursorOf = (journal: Journal): number | undefined =>
  journal.entries.findLast((entry) => entry.sequence !== undefined)?.sequence;

export const chunksOf = (journal: Journal): number => journal.entries.filter(({ kind }) => kind === 'artifact').length;

/** What whoever follows these events has of the artifacts in the end. */
export function textOf(entries: readonly Seen[]): string {
  let all = '';
  for (const { kind, text = '', append } of entries) {
    if (kind === 'snapshot' || (kind === 'artifact' && !append)) all = text;
    else if (kind === 'artifact') all += text;
  }
  return all;
}
