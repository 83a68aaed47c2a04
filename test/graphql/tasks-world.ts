import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect } from 'vitest';
import WebSocket from 'ws';
import type { App } from '../../src/app.ts';
import type { Scope } from '../../src/auth/principal.ts';
import { newId } from '../../src/database/ids.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { createTestDatabase, type DriverKind } from '../support/database.ts';
import { JWT_SETTINGS, tokenFor, USER_SCOPES } from '../support/tokens.ts';

export const SEND = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { parts { text } } task {
  id state contextId owner createdAt finishedAt lastSequence statusMessage { parts { text } }
  history { role messageId taskId contextId referenceTaskIds parts { text data metadata } } artifacts { artifactId parts { text data } } agent { id } } } }`;

/** An event of tasksChanged, with what tests ask of it. */
export interface Change {
  taskId: string;
  from: string | null;
  to: string;
  sequence: number;
  merged: boolean;
  task: any;
}

/** The events of a subscription as they come: `until` resolves with all of them once they satisfy it. */
export function collect<T>(iterator: AsyncIterableIterator<any>, field: string) {
  const all: T[] = [];
  let check: () => void = () => undefined;
  const over = (async () => {
    for await (const { data, errors } of iterator) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      all.push(data[field]);
      check();
    }
  })();
  return {
    all,
    over,
    until: (enough: (all: readonly T[]) => boolean): Promise<readonly T[]> =>
      Promise.race([
        new Promise<readonly T[]>((resolve) => {
          check = () => enough(all) && resolve([...all]);
          check();
        }),
        over.then(() => {
          throw new Error(`the stream ended with ${JSON.stringify(all)}`);
        }),
      ]),
  };
}

/** A server for the tests of a suite, and three callers of its graph. */
export function tasksWorld(kind: DriverKind) {
  let app: App;
  let url: string;
  let drop: () => Promise<void>;
  const tokens = new Map<string, Promise<string>>();
  const users = { me: newId(), other: newId(), admin: newId() };
  const scopesOf: Record<string, readonly Scope[]> = { admin: [...USER_SCOPES, 'tasks:admin'] };
  const tokenOf = (name: keyof typeof users): Promise<string> => {
    const token = tokens.get(name) ?? tokenFor(users[name], scopesOf[name] ?? USER_SCOPES);
    tokens.set(name, token);
    return token;
  };

  beforeAll(async () => {
    const database = await createTestDatabase(kind);
    drop = () => database.drop();
    app = await startTestApp({
      ...JWT_SETTINGS,
      DATABASE_URL: database.url,
      SECRET_KEY: 'a secret key of the tests, long enough',
    });
    url = app.addresses.url;
  });
  afterAll(async () => {
    await app?.close();
    await drop?.();
  });

  const as = async (name: keyof typeof users, query: string, variables?: unknown) =>
    data<any>(url, query, variables, await tokenOf(name));
  /** The extensions of the error that a request is refused with. */
  const refusal = async (name: keyof typeof users, query: string, variables?: unknown) => {
    const { errors } = await ask(url, query, variables, await tokenOf(name));
    expect(errors, 'the request was expected to be refused').toBeDefined();
    return errors![0]!.extensions;
  };
  /** Registers an echo agent; its id. */
  const echo = async (): Promise<string> =>
    (
      await as('me', `mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }`, {
        input: { name: 'Echo of tests', executionType: 'ECHO', streaming: true },
      })
    ).registerAgent.id;
  const send = async (name: keyof typeof users, input: Record<string, unknown>) =>
    (await as(name, SEND, { input })).sendMessage;

  const overSocket = async (name: keyof typeof users, query: string, variables: Record<string, unknown> = {}) => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${await tokenOf(name)}` },
    });
    return { events: client.iterate<any>({ query, variables }), close: async () => client.dispose() };
  };
  const overSse = async (name: keyof typeof users, query: string, variables: Record<string, unknown> = {}) => {
    const client = createSseClient({
      url: `${url}graphql/stream`,
      retryAttempts: 0,
      headers: { authorization: `Bearer ${await tokenOf(name)}` },
    });
    return { events: client.iterate<any>({ query, variables }), close: async () => client.dispose() };
  };
  return {
    users,
    tokenOf,
    as,
    refusal,
    echo,
    send,
    overSocket,
    overSse,
    get app() {
      return app;
    },
    get url() {
      return url;
    },
  };
}
