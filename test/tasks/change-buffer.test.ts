import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryEvents, type TaskStateNotice } from '../../src/events/events.ts';
import { ChangeBuffer, MOST_TASKS, MOST_WAITING, type TaskChange } from '../../src/tasks/change-buffer.ts';
import { changeFilter } from '../../src/tasks/filter.ts';
import { Watchers } from '../../src/tasks/watchers.ts';
import { someone } from './support.ts';

const change = (taskId: string, sequence: number, more: Partial<TaskChange> = {}): TaskChange => ({
  taskId,
  agentId: 'agent',
  contextId: 'context',
  owner: 'owner',
  from: sequence === 1 ? null : 'working',
  to: 'working',
  sequence,
  at: new Date(sequence),
  merged: false,
  ...more,
});

function takeAll(buffer: ChangeBuffer): TaskChange[] {
  const all: TaskChange[] = [];
  for (let next = buffer.take(); next !== undefined; next = buffer.take()) all.push(next);
  return all;
}

describe('what a reader has not taken yet', () => {
  it('is told one by one while it is little', () => {
    const buffer = new ChangeBuffer();
    const all = Array.from({ length: MOST_WAITING }, (_, i) => change(`t${i % 3}`, i + 1));
    for (const it of all) buffer.add(it);
    expect(takeAll(buffer)).toEqual(all);
    expect(buffer.takeMissed()).toBeUndefined();
  });

  it('is merged to the last change of each task when it is more', () => {
    const buffer = new ChangeBuffer();
    for (let i = 1; i <= MOST_WAITING; i++) buffer.add(change('busy', i));
    buffer.add(change('a', 1));
    buffer.add(change('b', 1));
    buffer.add(change('a', 2, { from: 'submitted', to: 'working' }));
    buffer.add(change('a', 3, { from: 'working', to: 'completed' }));
    const rest = takeAll(buffer).slice(MOST_WAITING);
    expect(rest).toEqual([change('a', 3, { from: null, to: 'completed', merged: true }), change('b', 1)]);
    buffer.add(change('c', 1));
    expect(takeAll(buffer)).toEqual([change('c', 1)]);
  });

  it('loses no end of any task, in bounded memory and in order, however changes and reads fall', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ tasks: fc.integer({ min: 1, max: 1_800 }), from: fc.integer({ max: 50 }) }) },
      { weight: 2, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 900 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const buffer = new ChangeBuffer();
        const truth = new Map<string, number>();
        const told = new Map<string, number>();
        let clock = 0;
        const changedAt = new Map<string, number>();
        let held = 0;
        const read = (most: number): void => {
          for (let i = 0; i < most; i++) {
            const next = buffer.take();
            if (next === undefined) {
              const since = buffer.takeMissed();
              if (since === undefined) return;
              // What the database would answer.
              for (const [task, sequence] of truth) {
                if (changedAt.get(task)! >= since.getTime()) told.set(task, sequence);
              }
              return;
            }
            expect(next.sequence).toBeGreaterThan(told.get(next.taskId) ?? 0);
            told.set(next.taskId, next.sequence);
          }
        };
        for (const it of steps) {
          if ('take' in it) read(it.take);
          else {
            for (let n = 0; n < it.tasks; n++) {
              const task = `t${it.from + n}`;
              const sequence = (truth.get(task) ?? 0) + 1;
              truth.set(task, sequence);
              changedAt.set(task, ++clock);
              buffer.add(change(task, sequence, { at: new Date(clock) }));
            }
          }
        }
        const rest = takeAll(buffer);
        held = rest.length;
        for (const { taskId, sequence } of rest) told.set(taskId, sequence);
        read(1);
        expect(held).toBeLessThanOrEqual(MOST_WAITING + MOST_TASKS);
        expect(told).toEqual(truth);
      }),
      { numRuns: 200 },
    );
  });

  it('forgets what the reader learned elsewhere', () => {
    const buffer = new ChangeBuffer();
    for (let i = 1; i <= MOST_WAITING; i++) buffer.add(change('a', i));
    buffer.add(change('b', 7));
    buffer.add(change('c', 7));
    buffer.forget(
      new Map([
        ['a', MOST_WAITING - 1],
        ['b', 7],
        ['c', 6],
      ]),
    );
    expect(takeAll(buffer).map(({ taskId, sequence }) => [taskId, sequence])).toEqual([
      ['a', MOST_WAITING],
      ['c', 7],
    ]);
  });

  it('wakes a reader that waits', async () => {
    const buffer = new ChangeBuffer();
    const woken = buffer.changed();
    buffer.add(change('a', 1));
    await woken;
    expect(takeAll(buffer)).toHaveLength(1);
  });
});

describe('watchers', () => {
  const notice = (owner: string, more: Partial<TaskStateNotice> = {}): TaskStateNotice => ({
    taskId: 't',
    agentId: 'a',
    contextId: 'c',
    owner,
    from: null,
    to: 'submitted',
    sequence: 1,
    at: new Date(0).toISOString(),
    ...more,
  });

  it('hear of their own tasks, with tasks:admin of everyone’s, and of nothing once they left', () => {
    const events = createMemoryEvents();
    const watchers = new Watchers(events);
    const [me, other, admin] = [someone(), someone(), someone(['tasks:read', 'tasks:admin'])];
    const heard = [me, other, admin].map((principal) => {
      const buffer = new ChangeBuffer();
      return { buffer, off: watchers.add(changeFilter(principal, {})!, buffer) };
    });
    events.publish('taskState', notice(me.subject));
    expect(heard.map(({ buffer }) => takeAll(buffer).length)).toEqual([1, 0, 1]);
    for (const { off } of heard) off();
    expect(watchers.size).toBe(0);
    events.publish('taskState', notice(me.subject));
    expect(heard.map(({ buffer }) => takeAll(buffer).length)).toEqual([0, 0, 0]);
    watchers.close();
  });
});
