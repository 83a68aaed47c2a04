import type { Principal } from '../auth/principal.ts';
import type { Gate } from '../http/gate.ts';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import type { Cards } from '../registry/cards/cards.ts';
import type { Registry } from '../registry/registry.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { RequiredExtensions } from './required-extensions.ts';

/** What the operations stand on. */
export interface A2aCore {
  readonly tasks: Tasks;
  readonly registry: Registry;
  readonly cards: Cards;
  readonly requiredExtensions: RequiredExtensions;
  /** Counts the streams of each caller. */
  readonly gate: Pick<Gate, 'openStream'>;
}

/** One call of an operation, whatever binding it came in by. */
export interface Call {
  readonly principal: Principal;
  readonly agentId: string;
  readonly dialect: DialectName;
  /** The method belongs to 0.3 and to the early era: the task that it names decides (`dialect` is then 0.3). */
  readonly ambiguous: boolean;
  /** A2A extensions that the caller named. */
  readonly extensions: readonly string[];
  readonly idempotencyKey: string | undefined;
  /** The last event that a reconnecting reader has seen, as it says it. */
  readonly lastEventId: string | undefined;
  /** Aborts when nobody reads the answer any more. */
  readonly signal: AbortSignal;
}
