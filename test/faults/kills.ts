import { expect } from 'vitest';
import type { Outcome } from './audit.ts';
import { chunksOf, hasEnded, type Journal } from './journal.ts';
import type { Run } from './run.ts';

/** A kill: comes at its point, and answers what the tasks that it was about must show in the end. */
export type Kill = (run: Run) => Promise<{ readonly hit: readonly Journal[]; readonly check?: Check }>;
export type Check = (outcome: Outcome) => void;

/** What a kill before the first answer leaves: nobody knows, or what may be done again was done again. */
const expectOutcome =
  (executed: { readonly whenUnsafe: number; readonly whenSafe: number }): Check =>
  ({ journal: { retrySafe }, unknown, executions }) => {
    expect(unknown).toBe(!retrySafe);
    // A later kill may come between the second execution and its first word.
    if (retrySafe) expect(executions).toBeGreaterThanOrEqual(executed.whenSafe);
    else expect(executions).toBe(executed.whenUnsafe);
  };

export const KILLS: Readonly<Record<string, Kill>> = {
  /** The server may have read all of the request, or nothing. */
  async 'as a request was written'(run) {
    const wave = run.random
      .shuffled(['raw 1.0', 'raw 0.3', 'raw 1.0 with a key', 'raw 1.0'] as const)
      .map((client) => run.client(client, run.agents.paced[0]!, { chunks: 10, pace: 40 }));
    const count = run.random.whole(1, wave.length);
    await run.until(() => wave.filter(({ written }) => written > 0).length >= count);
    const unanswered = () => wave.filter(({ written, entries }) => written > 0 && entries.length === 0);
    for (let turns = run.random.whole(0, 20); turns > 0 && unanswered().length > 1; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const hit = unanswered();
    await run.server.kill();
    return { hit };
  },

  /** The messages are stored; the agent has not been called, as the sign-in before it is not answered. */
  async 'before dispatch'(run) {
    run.silent.tell({ type: 'hold' });
    const before = run.silent.all('held').length;
    const wave = run.wave(run.agents.guarded, { chunks: 5, pace: 30 });
    const acknowledged = (): Journal[] => wave.filter(({ taskId }) => taskId !== undefined);
    await run.until(() => run.silent.all('held').length > before && acknowledged().length === 3);
    const hit = acknowledged();
    await run.server.kill();
    run.silent.tell({ type: 'release' });
    return {
      hit,
      check: expectOutcome({ whenUnsafe: 0, whenSafe: 1 }),
    };
  },

  /** The agent has the message, and has said nothing. */
  async 'before the first answer'(run) {
    run.silent.tell({ type: 'hold' });
    const before = run.silent.all('held').length;
    const wave = run.wave(run.agents.silent, undefined);
    const count = run.random.whole(2, wave.length);
    const held = () =>
      new Set(
        run.silent
          .all('held')
          .slice(before)
          .map(({ messageId }) => messageId),
      );
    await run.until(() => held().size >= count);
    const hit = wave.filter(({ messageId }) => held().has(messageId));
    await run.server.kill();
    run.silent.tell({ type: 'release' });
    return {
      hit,
      check: expectOutcome({ whenUnsafe: 1, whenSafe: 2 }),
    };
  },

  async 'between chunks'(run) {
    await run.events(run.random.whole(1, 150));
    const hit = run.journals.filter((journal) => chunksOf(journal) > 0 && !hasEnded(journal));
    await run.server.kill();
    return { hit, check: ({ unknown }) => expect(unknown).toBe(false) };
  },

  /** All chunks are out; the end comes while nobody is there. */
  async 'before the end'(run) {
    run.paced.tell({ type: 'hold' });
    const chunks = run.random.whole(1, 6);
    const wave = (['raw 1.0', 'graph', 'raw 0.3', 'SDK, JSON-RPC', 'raw 1.0 with a key'] as const).map((client, i) =>
      run.client(client, run.agents.paced[i % 3]!, { chunks, pace: 20, withhold: true }),
    );
    await run.until(() => wave.every((journal) => chunksOf(journal) === chunks));
    const hit = wave.filter((journal) => !hasEnded(journal));
    await run.server.kill();
    run.paced.tell({ type: 'release' });
    return {
      hit,
      check: ({ unknown, executions }) => expect({ unknown, executions }).toEqual({ unknown: false, executions: 1 }),
    };
  },
};
