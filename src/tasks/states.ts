import { isTerminal, type TaskState } from '../protocol/a2a/model.ts';

const STAY = 'stay';
const REFUSE = 'refuse';

type Verdict = TaskState | typeof STAY | typeof REFUSE;
type Column = { readonly [S in TaskState]: Verdict };

/** From everywhere that is not terminal, to every end. */
const ENDS = { completed: 'completed', failed: 'failed', canceled: 'canceled', rejected: 'rejected' } as const;
const WAITS = { 'input-required': 'input-required', 'auth-required': 'auth-required' } as const;
const CLOSED: Column = {
  unknown: REFUSE,
  submitted: REFUSE,
  working: REFUSE,
  completed: REFUSE,
  failed: REFUSE,
  canceled: REFUSE,
  'input-required': REFUSE,
  rejected: REFUSE,
  'auth-required': REFUSE,
};

/**
 * The state machine (DESIGN §3.4): what a task in the state of the row becomes when its agent reports the state of the
 * column. An agent may report any state at any time, so every pair has an answer: a state that says nothing, or would
 * lead back before the beginning, leaves the task where it is (or sets it to work, if it was waiting); a terminal state
 * never changes.
 */
const TABLE: { readonly [S in TaskState]: Column } = {
  unknown: { unknown: STAY, submitted: 'submitted', working: 'working', ...WAITS, ...ENDS },
  submitted: { unknown: STAY, submitted: 'submitted', working: 'working', ...WAITS, ...ENDS },
  working: { unknown: STAY, submitted: STAY, working: 'working', ...WAITS, ...ENDS },
  'input-required': { unknown: STAY, submitted: 'working', working: 'working', ...WAITS, ...ENDS },
  'auth-required': { unknown: STAY, submitted: 'working', working: 'working', ...WAITS, ...ENDS },
  completed: CLOSED,
  failed: CLOSED,
  canceled: CLOSED,
  rejected: CLOSED,
};

/** The state after a report; undefined when the report must be dropped because the task has ended. */
export function nextState(present: TaskState, reported: TaskState): TaskState | undefined {
  const verdict = TABLE[present][reported];
  if (verdict === REFUSE) return undefined;
  return verdict === STAY ? present : verdict;
}

/** Work goes on without the client: a repeated send may still join it. */
export const isMoving = (state: TaskState): boolean => state === 'submitted' || state === 'working';

/** Nothing more comes until the client does something, or ever: a blocking send answers now (specification 1.0 §3.2.2). */
export const isResting = (state: TaskState): boolean =>
  isTerminal(state) || state === 'input-required' || state === 'auth-required';
