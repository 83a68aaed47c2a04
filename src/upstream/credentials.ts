import { RollcallError } from '../errors.ts';
import type { Egress } from './egress.ts';

/** How to sign in to an agent. Without the secret of its type, calls go out without credentials. */
export type Credentials =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token?: string | undefined }
  | {
      readonly type: 'apiKey';
      readonly in: 'header' | 'query';
      readonly name: string;
      readonly value?: string | undefined;
    }
  | { readonly type: 'basic'; readonly username?: string | undefined; readonly password?: string | undefined }
  | {
      readonly type: 'oauth2';
      readonly tokenUrl?: string | undefined;
      readonly clientId?: string | undefined;
      readonly clientSecret?: string | undefined;
      readonly scopes: readonly string[];
    };

/** What a request gets so that the agent knows Rollcall. */
export interface SignIn {
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: readonly [name: string, value: string];
  /** To be called when the agent answers 401: the next call then signs in anew. */
  readonly onRefused?: () => void;
}

const NOTHING: SignIn = { headers: {} };
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

type Signer<T extends Credentials['type']> = (
  credentials: Extract<Credentials, { type: T }>,
  tokens: TokenCache,
  signal: AbortSignal,
) => SignIn | Promise<SignIn>;

const SIGNERS: { readonly [T in Credentials['type']]: Signer<T> } = {
  none: () => NOTHING,
  bearer: ({ token }) => (token === undefined ? NOTHING : { headers: { authorization: `Bearer ${token}` } }),
  apiKey: ({ in: place, name, value }) => {
    if (value === undefined) return NOTHING;
    return place === 'query' ? { headers: {}, query: [name, value] } : { headers: { [name.toLowerCase()]: value } };
  },
  basic: ({ username = '', password }) =>
    password === undefined ? NOTHING : { headers: { authorization: `Basic ${base64(`${username}:${password}`)}` } },
  oauth2: async (credentials, tokens, signal) => {
    const { tokenUrl, clientId, clientSecret } = credentials;
    if (tokenUrl === undefined || clientId === undefined || clientSecret === undefined) return NOTHING;
    const client = { tokenUrl, clientId, clientSecret, scopes: credentials.scopes };
    const token = await tokens.get(client, signal);
    return { headers: { authorization: `Bearer ${token}` }, onRefused: () => tokens.forget(client, token) };
  },
};

/**
 * The headers (or query parameter) for a call to `endpoint`. Credentials belong to `origin`, the origin they were stored
 * for: to any other one, nothing is sent, as it could be somebody else's.
 */
export async function signIn(
  credentials: Credentials,
  origin: string,
  endpoint: URL,
  tokens: TokenCache,
  signal: AbortSignal,
): Promise<SignIn> {
  if (credentials.type === 'none' || endpoint.origin !== origin) return NOTHING;
  const sign = SIGNERS[credentials.type] as Signer<Credentials['type']>;
  return sign(credentials, tokens, signal);
}

interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
}

const keyOf = (client: ClientCredentials): string =>
  JSON.stringify([client.tokenUrl, client.clientId, client.clientSecret, client.scopes]);

/** A token is renewed this long before it ends: it must still be good when it arrives. Milliseconds. */
const MARGIN_MS = 30_000;
/** For a token whose server does not say how long it lives. */
const DEFAULT_LIFE_MS = 5 * 60_000;
const MAX_TOKENS = 1_000;

/** Access tokens by the client credentials grant (RFC 6749 §4.4), kept until shortly before they end. */
export class TokenCache {
  readonly #egress: Egress;
  readonly #tokens = new Map<string, { readonly token: Promise<string>; until: number }>();

  constructor(egress: Egress) {
    this.#egress = egress;
  }

  /** Concurrent callers share one request. @throws RollcallError as egress.fetch, UPSTREAM_UNAUTHORIZED, UPSTREAM_INVALID. */
  get(client: ClientCredentials, signal: AbortSignal): Promise<string> {
    const key = keyOf(client);
    const present = this.#tokens.get(key);
    if (present !== undefined && present.until > Date.now()) return abortable(present.token, signal);
    if (this.#tokens.size >= MAX_TOKENS) this.#tokens.delete(this.#tokens.keys().next().value as string);
    const entry = {
      until: Number.POSITIVE_INFINITY,
      // Not under the caller's signal: others wait for the same answer.
      token: this.#request(client).then(
        ({ token, lifeMs }) => {
          entry.until = Date.now() + lifeMs;
          return token;
        },
        (error: unknown) => {
          if (this.#tokens.get(key) === entry) this.#tokens.delete(key);
          throw error;
        },
      ),
    };
    this.#tokens.set(key, entry);
    return abortable(entry.token, signal);
  }

  /** Forgets a token that the agent refused, unless there is a newer one. */
  forget(client: ClientCredentials, token: string): void {
    const key = keyOf(client);
    const entry = this.#tokens.get(key);
    void entry?.token.then(
      (known) => known === token && this.#tokens.get(key) === entry && this.#tokens.delete(key),
      () => undefined,
    );
  }

  async #request(client: ClientCredentials): Promise<{ token: string; lifeMs: number }> {
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (client.scopes.length > 0) form.set('scope', client.scopes.join(' '));
    // RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
    const pair = [client.clientId, client.clientSecret].map((s) => new URLSearchParams({ s }).toString().slice(2));
    const answer = await this.#egress.fetch(client.tokenUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        authorization: `Basic ${base64(pair.join(':'))}`,
      },
      body: form.toString(),
      maxBytes: 64 * 1024,
    });
    const { origin } = new URL(client.tokenUrl);
    // RFC 6749 §5.2: a client, secret or scope that is refused is answered with one of these.
    if (answer.status === 400 || answer.status === 401 || answer.status === 403) {
      throw new RollcallError(
        'UPSTREAM_UNAUTHORIZED',
        `The token server ${origin} gave no token for the client id and secret that are stored with the agent (HTTP ${answer.status}). Its owner replaces them with updateAgent: authentication.`,
      );
    }
    if (!answer.ok) {
      throw new RollcallError('UPSTREAM_INVALID', `The token server ${origin} gave no token (HTTP ${answer.status}).`);
    }
    const body = answer.json() as { access_token?: unknown; expires_in?: unknown } | null;
    const token = body?.access_token;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new RollcallError('UPSTREAM_INVALID', `The token server ${origin} answered without an access_token.`);
    }
    const seconds = Number(body?.expires_in);
    const lifeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 - MARGIN_MS : DEFAULT_LIFE_MS;
    return { token, lifeMs: Math.max(lifeMs, 0) };
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
