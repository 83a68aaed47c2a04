import type { Extra } from '../parts.ts';

/** A message as an agent received it. */
export interface Turn {
  readonly text: string;
  /** What else it holds. */
  readonly extras: readonly Extra[];
  readonly taskId: string;
  readonly contextId: string;
  /** Absent in the early era, whose messages have none. */
  readonly messageId: string | undefined;
  /** The agent knows this task already. */
  readonly continues: boolean;
}

/** How an artifact is said, and what it holds besides its text. */
export interface Chunk {
  readonly append?: boolean;
  readonly last?: boolean;
  readonly extras?: readonly Extra[];
}

/** How a behaviour is said in the words of one kind of agent. */
export interface Voice {
  /** Announces a new task, in state submitted. */
  begin(): void;
  working(): void;
  artifact(text: string, chunk?: Chunk): void;
  completed(said: string): void;
  asks(question: string): void;
  canceled(): void;
}

interface Gate {
  readonly reached: PromiseWithResolvers<void>;
  readonly opened: PromiseWithResolvers<void>;
}

export const CHUNKS = ['one ', 'two ', 'three'] as const;
export const QUESTION = 'Which one?';
export const DONE = 'done';

/**
 * What every agent of the matrix does, chosen by the first word of the message; the second word is a key that is unique
 * in the run. `now`: answers at once, with everything that it was given. `paced`: three chunks, and waits after the first until the test lets it go on or
 * it is canceled. `ask`: asks, asks once more when it is answered `again`, and
 * completes with any other answer.
 */
export class Behaviour {
  /** Every message that reached the agent, oldest first. */
  readonly turns: Turn[] = [];
  /** The tasks that the agent was told to stop. */
  readonly canceled = new Set<string>();
  readonly #gates = new Map<string, Gate>();

  /** Resolves when the message with this key waits. */
  reached(key: string): Promise<void> {
    return this.#gate(key).reached.promise;
  }

  /** Lets the message with this key go on. */
  release(key: string): void {
    this.#gate(key).opened.resolve();
  }

  /** The messages with this key. */
  turnsOf(key: string): readonly Turn[] {
    return this.turns.filter(({ text }) => text.endsWith(` ${key}`));
  }

  async run(turn: Turn, voice: Voice): Promise<void> {
    this.turns.push(turn);
    const [word, key = ''] = turn.text.split(' ');
    if (turn.continues) {
      voice.working();
      if (word === 'again') {
        voice.asks(QUESTION);
        return;
      }
      voice.artifact(`heard: ${turn.text}`);
      voice.completed(DONE);
      return;
    }
    voice.begin();
    if (word === 'now') {
      voice.artifact(`echo: ${turn.text}`, { extras: turn.extras });
      voice.completed(DONE);
      return;
    }
    voice.working();
    if (word === 'ask') {
      voice.asks(QUESTION);
      return;
    }
    const [one, two, three] = CHUNKS;
    voice.artifact(one, { append: false, last: false });
    const gate = this.#gate(key);
    gate.reached.resolve();
    await gate.opened.promise;
    if (this.canceled.has(turn.taskId)) {
      voice.canceled();
      return;
    }
    voice.artifact(two, { append: true, last: false });
    voice.artifact(three, { append: true, last: true });
    voice.completed(DONE);
  }

  /** Stops a task that waits: its run says so. */
  stop(taskId: string): void {
    this.canceled.add(taskId);
    for (const { taskId: own, text } of this.turns) if (own === taskId) this.release(text.split(' ')[1] ?? '');
  }

  #gate(key: string): Gate {
    const known = this.#gates.get(key);
    if (known !== undefined) return known;
    const gate = { reached: Promise.withResolvers<void>(), opened: Promise.withResolvers<void>() };
    this.#gates.set(key, gate);
    return gate;
  }
}
