import { randomUUID } from 'node:crypto';
import { taggedExtras, taggedPart } from '../parts.ts';
import type { Behaviour, Voice } from './behaviour.ts';

/** The objects of 0.2 and 0.3, which both of their SDKs take as they are. */
export interface PlainBus {
  publish(event: never): void;
  finished(): void;
}

interface PlainContext {
  readonly taskId: string;
  readonly contextId: string;
  readonly task?: unknown;
  readonly userMessage: { readonly messageId: string; readonly parts: readonly { readonly kind: string }[] };
}

const textOf = (parts: readonly object[]): string =>
  parts.map((part) => ('text' in part ? String(part.text) : '')).join('');

/** A behaviour as an executor of the SDKs 0.2 and 0.3. */
export function plainExecutor(behaviour: Behaviour) {
  return {
    async execute(context: PlainContext, bus: PlainBus): Promise<void> {
      const { taskId, contextId, userMessage } = context;
      const publish = (event: object): void => bus.publish(event as never);
      const status = (state: string, final: boolean, said?: string): void => {
        const parts = [{ kind: 'text', text: said }];
        const message = { kind: 'message', messageId: randomUUID(), role: 'agent', parts, taskId, contextId };
        const timestamp = new Date().toISOString();
        const now = { state, timestamp, ...(said === undefined ? {} : { message }) };
        publish({ kind: 'status-update', taskId, contextId, status: now, final });
      };
      const voice: Voice = {
        begin: () =>
          publish({
            kind: 'task',
            id: taskId,
            contextId,
            status: { state: 'submitted', timestamp: new Date().toISOString() },
            history: [userMessage],
          }),
        working: () => status('working', false),
        artifact: (text, { append, last, extras = [] } = {}) =>
          publish({
            kind: 'artifact-update',
            taskId,
            contextId,
            artifact: {
              artifactId: 'out',
              name: 'out',
              parts: [{ kind: 'text', text }, ...extras.map((extra) => taggedPart('kind', extra))],
            },
            ...(append === undefined ? {} : { append }),
            ...(last === undefined ? {} : { lastChunk: last }),
          }),
        completed: (said) => status('completed', true, said),
        asks: (question) => status('input-required', true, question),
        canceled: () => status('canceled', true),
      };
      const text = textOf(userMessage.parts);
      const continues = context.task !== undefined;
      const { messageId, parts } = userMessage;
      const turn = { text, extras: taggedExtras(parts), taskId, contextId, messageId, continues };
      await behaviour.run(turn, voice);
      bus.finished();
    },
    async cancelTask(taskId: string): Promise<void> {
      behaviour.stop(taskId);
    },
  };
}
