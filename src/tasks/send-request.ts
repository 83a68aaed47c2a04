import { invalid } from '../errors.ts';
import type { Message } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';

/** PostgreSQL's text holds no NUL; ids beyond this length are no ids. */
const MAX_ID = 255;

function checkId(field: string, value: string | undefined): void {
  if (value === undefined) return;
  if (value === '' || value.length > MAX_ID || value.includes('\u0000') || !value.isWellFormed()) {
    throw invalid(field, `must be 1 to ${MAX_ID} characters, without NUL`);
  }
}

/** What every face must have seen to; a face that did not gets an error instead of a failed statement. */
export function checkSend({ message, clientIds }: SendRequest): void {
  checkId('message.messageId', message.messageId);
  checkId('message.contextId', message.contextId);
  checkId('id', clientIds?.taskId);
  checkId('sessionId', clientIds?.contextId);
  if (message.role !== 'user') {
    throw invalid('message.role', 'must be user: agents do not send messages to agents this way');
  }
  if (message.parts.length === 0) throw invalid('message.parts', 'must have at least one part');
}

/** A message as the log keeps it: whose it is, its place says. */
export function toLog(message: Message): Message {
  const { taskId: _, contextId: __, ...rest } = message;
  return rest;
}

/** What goes to the agent: its own ids instead of ours, and no webhook, as Rollcall delivers those itself. */
export function toAgent(request: SendRequest, taskId: string | null, contextId: string | null): SendRequest {
  const { taskPushNotificationConfig: _, ...configuration } = request.configuration ?? {};
  return {
    message: {
      ...toLog(request.message),
      ...(taskId === null ? {} : { taskId }),
      ...(contextId === null ? {} : { contextId }),
    },
    ...(Object.keys(configuration).length === 0 ? {} : { configuration }),
    ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
  };
}
