import type { StreamEvent } from '../../src/protocol/a2a/model.ts';
import type { AgentExecutor } from '../../src/upstream/executor.ts';

/** An agent that says what the test tells it to, when it tells it. */
export function scripted() {
  const events: StreamEvent[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const executor: AgentExecutor = {
    async *send() {
      for (;;) {
        const next = events.shift();
        if (next !== undefined) yield next;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    async *resubscribe() {
      yield* [];
    },
    get: () => Promise.reject(new Error('not asked in these tests')),
    cancel: () => Promise.reject(new Error('not asked in these tests')),
  };
  return {
    executor,
    say(...more: StreamEvent[]) {
      events.push(...more);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
  };
}

const ids = { taskId: 'up-1', contextId: 'up-c' };
export const working: StreamEvent = { statusUpdate: { ...ids, status: { state: 'working' } } };
export const completed: StreamEvent = { statusUpdate: { ...ids, status: { state: 'completed' } } };
export const chunk = (text: string): StreamEvent => ({
  artifactUpdate: { ...ids, artifact: { artifactId: 'a', parts: [{ text }] }, append: true },
});
