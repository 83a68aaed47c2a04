import { randomUUID } from 'node:crypto';
import type { StreamEvent } from '../../protocol/a2a/model.ts';
import type { SendRequest } from '../../protocol/a2a/requests.ts';

/** A request to an agent that takes the ids that its clients choose. */
export type OwnIdsRequest = SendRequest & {
  readonly clientIds: { readonly taskId: string; readonly contextId: string };
};

/** The early era's agents take the ids that their clients choose: ours are new, whoever the message is from. */
export function withOwnIds(request: SendRequest): OwnIdsRequest {
  const { taskId, contextId, ...message } = request.message;
  const clientIds = { taskId: taskId ?? randomUUID(), contextId: contextId ?? randomUUID() };
  return { ...request, message, clientIds };
}

/** The event with the context of the request where it names none. */
function inContext(event: StreamEvent, contextId: string): StreamEvent {
  const { task, message, statusUpdate, artifactUpdate } = event;
  if (task !== undefined) return task.contextId ? event : { task: { ...task, contextId } };
  if (statusUpdate !== undefined) {
    return statusUpdate.contextId ? event : { statusUpdate: { ...statusUpdate, contextId } };
  }
  if (artifactUpdate !== undefined) {
    return artifactUpdate.contextId ? event : { artifactUpdate: { ...artifactUpdate, contextId } };
  }
  return message.contextId ? event : { message: { ...message, contextId } };
}

/**
 * The answer to such a request, with its context in every event. Events of the early era do not repeat the session, and
 * the next message of the conversation would begin another one.
 */
export async function* withOwnContext(
  events: AsyncIterable<StreamEvent>,
  { clientIds }: OwnIdsRequest,
): AsyncGenerator<StreamEvent> {
  for await (const event of events) yield inContext(event, clientIds.contextId);
}
