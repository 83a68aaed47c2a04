import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { EventView } from './clients/client.ts';

/** An event as a GraphQL subscriber sees it. */
export interface GraphEvent {
  readonly sequence: number;
  readonly kind: string;
  readonly state: string;
  readonly append: boolean;
  readonly message: { readonly parts: readonly { readonly text: string }[] } | null;
  readonly artifact: { readonly parts: readonly { readonly text: string }[] } | null;
}

const textOf = (it: { readonly parts: readonly { readonly text: string }[] } | null): string | undefined =>
  it?.parts.map(({ text }) => text).join('');

/** What an event says, to be compared with {@link told}. */
export function said({ kind, state, message, artifact, append }: GraphEvent): object {
  if (kind === 'ARTIFACT') return { text: textOf(artifact), append };
  return { state: state.toLowerCase().replaceAll('_', '-'), text: textOf(message) };
}

/** What an A2A client is told by an event. */
export function told(event: EventView): object {
  if (event.kind === 'artifact') return { text: event.text, append: event.append };
  const { state, said: text } = event.kind === 'task' ? event.task : event;
  return { state, text };
}

const QUERY = `subscription($id: ID!) {
  taskEvents(taskId: $id, after: 0) {
    sequence kind state append message { parts { text } } artifact { parts { text } }
  }
}`;

/** Every event of a task from the first on, over WebSocket, until it ends. */
export async function* watchTask(url: string, id: string): AsyncGenerator<GraphEvent> {
  const endpoint = `${url.replace('http', 'ws')}graphql`;
  const socket = createClient({ url: endpoint, webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    const events = socket.iterate<{ taskEvents: GraphEvent }>({ query: QUERY, variables: { id } });
    for await (const { data, errors } of events) {
      if (data == null) throw new Error(`GraphQL answered errors: ${JSON.stringify(errors)}`);
      yield data.taskEvents;
    }
  } finally {
    await socket.dispose();
  }
}
