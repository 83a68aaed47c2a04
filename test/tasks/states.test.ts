import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTerminal, type StreamEvent, TASK_STATES, type TaskState } from '../../src/protocol/a2a/model.ts';
import { stateAfter, TaskFold } from '../../src/tasks/fold.ts';
import { readIncoming } from '../../src/tasks/incoming.ts';
import { isMoving, isResting, nextState } from '../../src/tasks/states.ts';

const state = fc.constantFrom(...TASK_STATES);
const ids = { taskId: 'up', contextId: 'ctx' };
const message = fc.record({ text: fc.string(), id: fc.nat(8) }).map(({ text, id }) => ({
  messageId: `m${id}`,
  role: 'agent' as const,
  parts: [{ text }],
  taskId: 'up',
}));
const status = fc.record({ state, message: fc.option(message, { nil: undefined }) }).map((it) => ({
  state: it.state,
  ...(it.message === undefined ? {} : { message: it.message }),
}));
const artifact = fc.record({
  artifactId: fc.constantFrom('a', 'b'),
  parts: fc.array(fc.record({ text: fc.string() }), { maxLength: 3 }),
});
const event: fc.Arbitrary<StreamEvent> = fc.oneof(
  status.map((it) => ({ statusUpdate: { ...ids, status: it } })),
  fc.record({ artifact, append: fc.boolean() }).map((it) => ({ artifactUpdate: { ...ids, ...it } })),
  fc
    .record({ status, artifacts: fc.array(artifact, { maxLength: 2 }), history: fc.array(message, { maxLength: 3 }) })
    .map((it) => ({ task: { id: 'up', contextId: 'ctx', ...it } })),
  message.map((it) => ({ message: it })),
);

function begun(): TaskFold {
  const fold = new TaskFold({ id: 'ours', contextId: 'our context' });
  const first = { messageId: 'u1', role: 'user' as const, parts: [{ text: 'go' }] };
  fold.apply({ sequence: 1, at: new Date(0), entry: { kind: 'created', message: first } });
  return fold;
}

describe('the state machine', () => {
  it('has an answer for every pair, and never leaves a terminal state', () => {
    for (const from of TASK_STATES) {
      for (const to of TASK_STATES) {
        const next = nextState(from, to);
        if (isTerminal(from)) expect(next).toBeUndefined();
        else expect(TASK_STATES).toContain(next);
      }
    }
  });

  it('reaches every terminal and every waiting state from every open one', () => {
    const open = TASK_STATES.filter((it) => !isTerminal(it));
    for (const from of open) {
      for (const to of TASK_STATES.filter(isResting)) expect(nextState(from, to)).toBe(to);
    }
  });

  it('never goes back to submitted, nor to a state that says nothing', () => {
    for (const from of TASK_STATES.filter((it) => it !== 'submitted' && it !== 'unknown')) {
      for (const to of TASK_STATES) expect(['submitted', 'unknown']).not.toContain(nextState(from, to));
    }
  });

  it('moves, rests, or says nothing: never two of these', () => {
    for (const it of TASK_STATES)
      expect([isMoving(it), isResting(it), it === 'unknown'].filter(Boolean)).toHaveLength(1);
  });
});

describe('what an agent says', () => {
  it('leaves a task that obeys the state machine, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const fold = begun();
        let ended: TaskState | undefined;
        for (const it of events) {
          const { entries } = readIncoming(it, fold);
          if (ended !== undefined) expect(entries).toEqual([]);
          for (const entry of entries) {
            const next = stateAfter(entry);
            if (next !== undefined) expect(nextState(fold.state, next)).toBe(next);
            fold.apply({ sequence: fold.sequence + 1, at: new Date(0), entry });
          }
          if (isTerminal(fold.state)) ended ??= fold.state;
          if (ended !== undefined) expect(fold.state).toBe(ended);
        }
      }),
    );
  });

  it('adds nothing when the same snapshot comes again', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 10 }),
        event.filter((it) => it.task !== undefined),
        (before, snapshot) => {
          const fold = begun();
          const take = (it: StreamEvent): number => {
            const { entries } = readIncoming(it, fold);
            for (const entry of entries) fold.apply({ sequence: fold.sequence + 1, at: new Date(0), entry });
            return entries.length;
          };
          before.forEach(take);
          take(snapshot);
          const again = JSON.stringify(fold.snapshot());
          take(snapshot);
          expect(JSON.stringify(fold.snapshot())).toBe(again);
        },
      ),
    );
  });

  it('never carries the agent’s ids into the task', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 10 }), (events) => {
        const fold = begun();
        for (const it of events) {
          for (const entry of readIncoming(it, fold).entries) {
            fold.apply({ sequence: fold.sequence + 1, at: new Date(0), entry });
          }
        }
        const { status: last, history = [] } = fold.snapshot();
        for (const it of [...history, ...(last.message === undefined ? [] : [last.message])]) {
          expect([it.taskId, it.contextId]).toEqual(['ours', 'our context']);
        }
      }),
    );
  });
});
