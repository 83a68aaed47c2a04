import type { StreamEvent, Task } from '../../protocol/a2a/model.ts';
import { isAtRest, stateOf } from './follow.ts';

/**
 * A stream that was subscribed to in the middle of the work, without loss: where it did not begin with the task, as before
 * 1.0, nothing says what the agent said between the question for the task and the first event here, and a chunk may be
 * missing or be there twice. The whole task is asked for once more before the work rests, and replaces what differs.
 */
export async function* madeWhole(
  events: AsyncIterable<StreamEvent>,
  ask: () => Promise<Task>,
): AsyncGenerator<StreamEvent> {
  let whole = false;
  for await (const event of events) {
    whole ||= event.task !== undefined;
    const state = stateOf(event);
    if (!whole && state !== undefined && isAtRest(state)) {
      // Without an answer the event itself still says how the work ended.
      const task = await ask().catch(() => undefined);
      if (task !== undefined) yield { task };
    }
    yield event;
  }
}
