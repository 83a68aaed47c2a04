import { randomUUID } from 'node:crypto';
import type { CardServer } from '../../support/card-server.ts';

/** An A2A agent that gives each conversation an id of its own, as many do. */
export interface Talker {
  /** Its id in the registry. */
  readonly agentId: string;
  /** The conversation in which a text came in; undefined: a new one. */
  contextOf(text: string): string | undefined;
}

/** Serves the agent below `path`, without registering it. */
export function serveTalker(cards: CardServer, path: string): Pick<Talker, 'contextOf'> {
  const heard = new Map<string, string | undefined>();
  cards.on(path, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id, params } = JSON.parse(body) as any;
    const { contextId, parts } = params.message;
    heard.set(parts[0].text, contextId);
    const task = { id: randomUUID(), contextId: contextId ?? randomUUID(), status: { state: 'TASK_STATE_COMPLETED' } };
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id, result: { task } }));
  });
  return { contextOf: (text) => heard.get(text) };
}
