import { StreamResponse } from '@a2a-js/sdk';
import { type ClientKind, clientFor, sendOf } from '../a2a/support.ts';
import { ask } from '../support/app.ts';
import { cursorOf, hasEnded, type Journal } from './journal.ts';
import type { KilledServer } from './killed-server.ts';
import type { Progress } from './progress.ts';
import { graphStream, type RawDialect, Refused, rpcStream, subscribeStream } from './streams.ts';
import { plainV03, seenInGraph, seenInV1, seenInV03 } from './views.ts';

/** A client with a journal: follows its task as far as one connection carries. */
type Attempt = (url: string, journal: Journal, progress: Progress) => Promise<void>;

/** How an event is read, and what of it is written down. */
export const DIALECT = {
  '1.0': { seen: seenInV1, plain: (event: object) => event },
  '0.3': { seen: seenInV03, plain: plainV03 },
} as const;
const SEND = {
  '1.0': (messageId: string, text: string) => ({
    method: 'SendStreamingMessage',
    params: { message: { messageId, role: 'ROLE_USER', parts: [{ text }] } },
  }),
  '0.3': (messageId: string, text: string) => ({
    method: 'message/stream',
    params: { message: { kind: 'message', messageId, role: 'user', parts: [{ kind: 'text', text }] } },
  }),
} as const;

/**
 * A client that reads the stream itself. Without an answer it says the same message again; with one it subscribes after
 * the last event that it has. One with an Idempotency-Key only ever says the message again, with its cursor.
 */
function raw(dialect: RawDialect, keyed: boolean): Attempt {
  return async (url, journal, progress) => {
    const { agentId, messageId, text, taskId } = journal;
    const agentUrl = `${url}a2a/${agentId}`;
    const cursor = cursorOf(journal);
    const { seen, plain } = DIALECT[dialect];
    const send = () =>
      rpcStream(agentUrl, dialect, {
        ...SEND[dialect](messageId, text),
        headers: {
          ...(keyed ? { 'idempotency-key': messageId } : {}),
          ...(keyed && cursor !== undefined ? { 'last-event-id': String(cursor) } : {}),
        },
        onWritten: () => {
          journal.written++;
          progress.changed();
        },
      });
    const stream = taskId === undefined || keyed ? send() : subscribeStream(agentUrl, dialect, taskId, cursor ?? 0);
    for await (const { sequence, result } of stream) {
      journal.taskId ??= result['task']?.id ?? result['id'];
      journal.entries.push({ ...seen(result), sequence, raw: plain(result) });
      progress.changed();
    }
  };
}

/** The SDK's client. It has no cursors: after a loss it subscribes anew, which begins with the task as it is. */
function sdk(kind: ClientKind): Attempt {
  return async (url, journal, progress) => {
    const client = await clientFor(`${url}a2a/${journal.agentId}/`, kind);
    const { taskId, messageId, text } = journal;
    const note = (raw: Record<string, any>): void => {
      journal.taskId ??= raw['task']?.id;
      journal.entries.push({ ...seenInV1(raw), sequence: undefined, raw });
      progress.changed();
    };
    const stream =
      taskId === undefined
        ? client.sendMessageStream(sendOf(text, { messageId }))
        : client.resubscribeTask({ tenant: '', id: taskId });
    try {
      for await (const event of stream) note(StreamResponse.toJSON(event) as Record<string, any>);
    } catch (error) {
      if (taskId === undefined || !/will not change any more/.test(String(error))) throw error;
      const task = await client.getTask({ tenant: '', id: taskId, historyLength: undefined });
      note(StreamResponse.toJSON({ payload: { $case: 'task', value: task } }) as Record<string, any>);
    }
  };
}

/** A client of the graph: sends without waiting, and follows the events over a WebSocket. */
const graph: Attempt = async (url, journal, progress) => {
  const { agentId, messageId, text } = journal;
  if (journal.taskId === undefined) {
    const { data, errors } = await ask(
      url,
      'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id } } }',
      { input: { agentId, messageId, text, wait: false } },
    );
    if (errors !== undefined) throw new Refused(JSON.stringify(errors));
    journal.taskId = data['sendMessage'].task.id as string;
    progress.changed();
  }
  for await (const event of graphStream(url, journal.taskId, cursorOf(journal) ?? 0)) {
    journal.entries.push({ ...seenInGraph(event), sequence: event['sequence'], raw: event });
    progress.changed();
  }
};

const CLIENTS = {
  'raw 1.0': raw('1.0', false),
  'raw 0.3': raw('0.3', false),
  'raw 1.0 with a key': raw('1.0', true),
  'SDK, JSON-RPC': sdk({ binding: 'JSONRPC', version: '1.0' }),
  'SDK, HTTP+JSON': sdk({ binding: 'HTTP+JSON', version: '1.0' }),
  graph,
} as const;

export type ClientName = keyof typeof CLIENTS;

/**
 * Follows a task to its end, through every kill. A connection may only be lost by a kill, and what the server answers
 * must never be a refusal.
 */
export async function follow(
  server: KilledServer,
  name: ClientName,
  journal: Journal,
  progress: Progress,
): Promise<void> {
  while (!hasEnded(journal)) {
    const { url, kills } = await server.up();
    try {
      await CLIENTS[name](url, journal, progress);
      if (!hasEnded(journal) && server.kills === kills) throw new Error('The stream ended before its task.');
    } catch (cause) {
      if (cause instanceof Refused || server.kills === kills) {
        throw new Error(`${name}, task ${journal.taskId}: ${(cause as Error).message}`, { cause });
      }
    }
    if (!hasEnded(journal)) journal.returns++;
  }
}
