import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import { z } from 'zod';
import { RollcallError } from '../errors.ts';

/** One entry of SUBGRAPHS: another team's subgraph. The operator wrote it, so its URLs are trusted as written. */
export interface RemoteSubgraph {
  readonly name: string;
  readonly url: string;
  /** Its SDL; asked for with `_service { sdl }` when left out. */
  readonly sdl?: string | undefined;
  readonly subscriptionsUrl?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Names of the caller's headers that are passed on. */
  readonly forwardHeaders?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
}

const schema = z.array(
  z.strictObject({
    name: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'must be a word of letters, digits, _ and -'),
    url: z.url({ protocol: /^https?$/ }),
    sdl: z.string().min(1).optional(),
    subscriptionsUrl: z.url({ protocol: /^wss?$/ }).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    forwardHeaders: z.array(z.string()).optional(),
    timeoutMs: z.number().int().min(1).max(600_000).optional(),
  }),
);

const FETCH_TIMEOUT_MS = 10_000;

const wrong = (message: string, cause?: unknown): RollcallError =>
  new RollcallError('INVALID_INPUT', `SUBGRAPHS: ${message}`, { field: 'SUBGRAPHS', cause });

/** Reads SUBGRAPHS: a file, or a URL. @throws RollcallError INVALID_INPUT saying what is wrong with it, and where. */
export async function readSubgraphList(fileOrUrl: string): Promise<RemoteSubgraph[]> {
  const text = await readTextOf('SUBGRAPHS', fileOrUrl);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw wrong(`${fileOrUrl} is not JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw wrong(
      `${fileOrUrl}: $${issue!.path.map((k) => (typeof k === 'number' ? `[${k}]` : `.${String(k)}`)).join('')}: ${issue!.message}`,
      result.error,
    );
  }
  return result.data;
}

/** The text of a file, or of what a URL answers. @throws RollcallError INVALID_INPUT naming the setting. */
export async function readTextOf(setting: string, fileOrUrl: string): Promise<string> {
  return textOf(fileOrUrl).catch((cause: Error) => {
    throw new RollcallError('INVALID_INPUT', `${setting}: ${fileOrUrl} cannot be read: ${cause.message}`, {
      field: setting,
      cause,
    });
  });
}

async function textOf(fileOrUrl: string): Promise<string> {
  if (!/^https?:\/\//.test(fileOrUrl)) return readFile(fileOrUrl, 'utf8');
  const answer = await request(fileOrUrl, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`it answered ${answer.statusCode}`);
  return text;
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
