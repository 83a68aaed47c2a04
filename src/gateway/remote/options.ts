import { invalid } from '../../errors.ts';
import type { BreakerOptions } from './circuit-breaker.ts';
import type { RetryOptions } from './retry.ts';

/** How one remote subgraph is reached. The operator wrote it: URLs are trusted, answers are not. */
export interface RemoteOptions extends RetryOptions, BreakerOptions {
  /** The subgraph's name, for messages. */
  readonly name: string;
  /** http(s) URL that takes GraphQL over POST. */
  readonly url: string;
  /** ws(s) URL for graphql-ws, or http(s) URL for server-sent events; when left out, `url` with ws. */
  readonly subscriptionsUrl?: string | undefined;
  /**
   * Whether equal subscriptions of one caller share an upstream that has brought events already; false when left out.
   * Right for streams that begin with what is new, wrong for those that begin with a snapshot or after a cursor.
   */
  readonly shareRunningStreams?: boolean | undefined;
  /** Headers sent with every request, names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Names (lower case) of the caller's headers that are passed on; none when left out. */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** Names (lower case) of the subgraph's response headers that the caller gets; none when left out. */
  readonly returnHeaders?: readonly string[] | undefined;
  /** Milliseconds until an answer must be complete; 10,000 when left out. */
  readonly timeoutMs?: number | undefined;
  /** 32 MiB when left out. */
  readonly maxResponseBytes?: number | undefined;
  /** Connections to this subgraph at most; 32 when left out. */
  readonly connections?: number | undefined;
  /** Events of one subscription that wait for a slow reader, at most; 1,000 when left out. */
  readonly maxQueuedEvents?: number | undefined;
}

/** These belong to one connection, or describe a body that is not passed on: forwarding one corrupts the request. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Throws `INVALID_INPUT` that names the setting. */
export function checkRemoteOptions({
  name,
  url,
  subscriptionsUrl,
  forwardHeaders,
  returnHeaders,
  timeoutMs,
}: RemoteOptions): void {
  const field = `SUBGRAPHS.${name}`;
  if (!['http:', 'https:'].includes(protocolOf(url))) throw invalid(`${field}.url`, 'must be an http or https URL.');
  if (subscriptionsUrl !== undefined && !/^(ws|http)s?:$/.test(protocolOf(subscriptionsUrl))) {
    throw invalid(`${field}.subscriptionsUrl`, 'must be a ws, wss, http or https URL.');
  }
  for (const [setting, headers] of Object.entries({ forwardHeaders, returnHeaders })) {
    for (const header of headers ?? []) {
      if (NEVER_FORWARDED.has(header.toLowerCase())) {
        throw invalid(`${field}.${setting}`, `"${header}" belongs to a single connection and cannot be forwarded.`);
      }
    }
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= 2 ** 31 - 1)) {
    throw invalid(`${field}.timeoutMs`, 'must be a positive number of milliseconds.');
  }
}

const protocolOf = (url: string): string => (URL.canParse(url) ? new URL(url).protocol : '');
