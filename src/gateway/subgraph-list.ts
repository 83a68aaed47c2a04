import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { request } from 'undici';
import { z } from 'zod';
import { RollcallError } from '../errors.ts';

/** One entry of SUBGRAPHS: another team's subgraph. The operator wrote it, so its URLs are trusted as written. */
export interface RemoteSubgraph {
  readonly name: string;
  readonly url: string;
  /** Its SDL; asked for with `_service { sdl }` when left out. */
  readonly sdl?: string | undefined;
  /** ws(s) for graphql-ws, http(s) for server-sent events; `url` with ws when left out. */
  readonly subscriptionsUrl?: string | undefined;
  /** Whether equal subscriptions of one caller share a stream that has brought events already. */
  readonly shareRunningStreams?: boolean | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Names of the caller's headers that are passed on. */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** Names of the subgraph's response headers that the caller gets. */
  readonly returnHeaders?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
}

const schema = z.array(
  z.strictObject({
    name: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'must be a word of letters, digits, _ and -'),
    url: z.url({ protocol: /^https?$/ }),
    sdl: z.string().min(1).optional(),
    sdlFile: z.string().min(1).optional(),
    subscriptionsUrl: z.url({ protocol: /^(ws|http)s?$/ }).optional(),
    shareRunningStreams: z.boolean().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    forwardHeaders: z.array(z.string()).optional(),
    returnHeaders: z.array(z.string()).optional(),
    timeoutMs: z.number().int().min(1).max(600_000).optional(),
  }),
);

const FETCH_TIMEOUT_MS = 10_000;

const wrong = (message: string, cause?: unknown): RollcallError =>
  new RollcallError('INVALID_INPUT', `SUBGRAPHS: ${message}`, { field: 'SUBGRAPHS', cause });

/**
 * Reads the text of SUBGRAPHS. Files that it names are resolved against `origin`, the list's own path.
 *
 * @throws RollcallError INVALID_INPUT saying what is wrong with it, and where.
 */
export async function parseSubgraphList(text: string, origin: string): Promise<RemoteSubgraph[]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw wrong(`${origin} is not JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw wrong(
      `${origin}: $${issue!.path.map((k) => (typeof k === 'number' ? `[${k}]` : `.${String(k)}`)).join('')}: ${issue!.message}`,
      result.error,
    );
  }
  return Promise.all(
    result.data.map(async ({ sdlFile, ...entry }) =>
      sdlFile === undefined ? entry : { ...entry, sdl: await fileBeside(origin, entry.name, sdlFile) },
    ),
  );
}

/** A list that comes from a URL may not name files: whoever serves it would read this machine's. */
async function fileBeside(origin: string, name: string, file: string): Promise<string> {
  if (/^https?:/.test(origin)) throw wrong(`${origin}: ${name}.sdlFile: a list from a URL gives the "sdl" itself.`);
  const path = resolve(dirname(origin), file);
  return readFile(path, 'utf8').catch((cause: Error) => {
    throw wrong(`${origin}: ${name}.sdlFile: ${path} cannot be read: ${cause.message}`, cause);
  });
}

/** The SDL of a subgraph: as given, or as its `_service { sdl }` answers. @throws RollcallError UPSTREAM_UNREACHABLE, UPSTREAM_INVALID. */
export async function sdlOf(subgraph: RemoteSubgraph): Promise<string> {
  if (subgraph.sdl !== undefined) return subgraph.sdl;
  const { name, url } = subgraph;
  let body: { data?: { _service?: { sdl?: unknown } } };
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...subgraph.headers },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    body = (await answer.body.json()) as typeof body;
  } catch (cause) {
    throw new RollcallError(
      'UPSTREAM_UNREACHABLE',
      `The subgraph ${name} at ${url} does not tell its schema: ${(cause as Error).message}`,
      { cause },
    );
  }
  const sdl = body.data?._service?.sdl;
  if (typeof sdl !== 'string')
    throw new RollcallError(
      'UPSTREAM_INVALID',
      `The subgraph ${name} at ${url} does not answer { _service { sdl } }; give its "sdl" in SUBGRAPHS.`,
    );
  return sdl;
}
