import { type App, type StartOptions, startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { emptyDatabase } from './database.ts';

/** A server of this test: embedded database in memory, free ports, unless the settings say otherwise. */
export async function startTestApp(settings: Record<string, string> = {}, more: StartOptions = {}): Promise<App> {
  const config = readConfig({
    DATABASE_URL: 'memory://',
    PORT: '0',
    GRPC_PORT: '0',
    FLYTE_PORT: '0',
    LOG_LEVEL: 'silent',
    ...settings,
  });
  return startApp(config, createLog(config.LOG_LEVEL), { template: emptyDatabase(), ...more });
}

/** What a GraphQL request answers. */
export interface GraphAnswer<T = Record<string, any>> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: T;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, any>;
  }[];
}

/** Asks a server over HTTP, as a frontend would. */
export async function ask<T = Record<string, any>>(
  url: string,
  query: string,
  variables?: unknown,
  token?: string,
): Promise<GraphAnswer<T>> {
  const response = await fetch(new URL('graphql', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as { data: T }) };
}

/** As {@link ask}; a test that expects data fails with the errors it got instead. */
export async function data<T = Record<string, any>>(
  url: string,
  query: string,
  variables?: unknown,
  token?: string,
): Promise<T> {
  const answer = await ask<T>(url, query, variables, token);
  if (answer.errors !== undefined) throw new Error(`GraphQL answered errors: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}

/** Imports the agent whose card is at an address. Resolves to its id. */
export async function importAgent(url: string, cardUrl: string, token?: string): Promise<string> {
  const query = 'mutation($url: String!) { importAgent(input: { url: $url }) { id } }';
  return (await data(url, query, { url: cardUrl }, token))['importAgent'].id;
}
