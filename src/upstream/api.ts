import { randomUUID } from 'node:crypto';
import { RollcallError } from '../errors.ts';
import type { Artifact, Part, Task } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { httpFailure } from './a2a/failures.ts';
import { signIn, type TokenCache } from './credentials.ts';
import type { Egress, EgressResponse } from './egress.ts';
import type { AgentExecutor, UpstreamTarget } from './executor.ts';
import { naming } from './naming.ts';

/** Longest wait for an answer: an API works while the connection is open. */
const TIMEOUT_MS = 10 * 60_000;
/** Statuses by which an API says that it does not want this message, rather than that it failed. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 413, 415, 422]);

/** The body of the request; see {@link createApiExecutor}. */
function bodyOf({ message, metadata }: SendRequest): object {
  return {
    messageId: message.messageId,
    ...(message.contextId === undefined ? {} : { contextId: message.contextId }),
    text: message.parts.flatMap((part) => part.text ?? []).join('\n'),
    parts: message.parts,
    ...(metadata === undefined ? {} : { metadata }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPart = (value: unknown): value is Part =>
  isObject(value) && ['text', 'raw', 'url', 'data'].filter((member) => member in value).length === 1;

const typeOf = (answer: EgressResponse): string =>
  (answer.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
const isJson = (type: string): boolean => type === 'application/json' || type.endsWith('+json');

/** A text in the charset that it declares. @throws RollcallError UPSTREAM_INVALID when nobody knows that charset. */
function textOf(answer: EgressResponse, origin: string): string {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(answer.headers['content-type'] ?? '') ?? [];
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset);
  } catch (cause) {
    const what = `HTTP ${answer.status} and a text in the charset "${charset.slice(0, 40)}", which is not known`;
    throw new RollcallError('UPSTREAM_INVALID', `${origin} answered ${what}.`, { cause });
  }
  return decoder.decode(answer.bytes());
}

/** How much of an API's own words is repeated in a failure, in characters. */
const LONGEST_QUOTE = 200;

/** An answer that says that the API failed, with the beginning of what it says where that is a text. */
function apiFailure(answer: EgressResponse, origin: string): RollcallError {
  const known = httpFailure(answer.status, origin);
  if (known.code !== 'UPSTREAM_INVALID') return known;
  const type = typeOf(answer);
  const said = type.startsWith('text/') || isJson(type) ? textOf(answer, origin) : '';
  // Control characters would reach terminals and logs.
  const quote = said
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_QUOTE)
    // Half a character at the cut could not be stored.
    .toWellFormed();
  return new RollcallError(
    'UPSTREAM_INVALID',
    `${origin} answered HTTP ${answer.status}${quote === '' ? '.' : `: ${quote}`}`,
  );
}

function partsOf(answer: EgressResponse, origin: string): Part[] {
  const type = typeOf(answer);
  const bytes = answer.bytes();
  if (bytes.length === 0) return [];
  if (isJson(type)) {
    const body = answer.json();
    if (isObject(body) && Array.isArray(body['parts']) && body['parts'].every(isPart)) return body['parts'];
    if (isObject(body) && typeof body['text'] === 'string') return [{ text: body['text'] }];
    return typeof body === 'string' ? [{ text: body }] : [{ data: body }];
  }
  if (type.startsWith('text/')) {
    return [{ text: textOf(answer, origin), ...(type === 'text/plain' ? {} : { mediaType: type }) }];
  }
  return [{ raw: bytes.toString('base64'), ...(type === '' ? {} : { mediaType: type }) }];
}

/**
 * Drives agents that are a plain HTTP API: one POST to their url per message, and its answer is the outcome.
 *
 * Sent, as JSON: `messageId`, `contextId` (when the conversation has one), `text` (all text parts, one per line), `parts`
 * (as in A2A 1.0) and `metadata`. Answered with 2xx: JSON with `parts` (as in A2A 1.0) or `text`; any other JSON, which
 * becomes a data part; text; or bytes of any media type. An empty answer completes the task without an artifact. 400,
 * 405, 413, 415 and 422 reject the task, everything else fails it.
 */
export function createApiExecutor(egress: Egress, tokens: TokenCache): AgentExecutor {
  const outcomeOf = async (target: UpstreamTarget, request: SendRequest, signal: AbortSignal): Promise<Task> => {
    const { agent, authentication } = target;
    if (agent.url === null) throw new RollcallError('AGENT_NOT_REACHABLE', `Agent ${agent.handle} has no url.`);
    const url = new URL(agent.url);
    const { headers, query, onRefused } = await signIn(authentication, url.origin, url, tokens, signal);
    if (query !== undefined) url.searchParams.set(...query);
    const answer = await egress.fetch(url.href, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/*;q=0.9, */*;q=0.5',
        ...headers,
      },
      sensitiveHeaders: Object.keys(headers),
      body: JSON.stringify(bodyOf(request)),
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    if (answer.status === 401) onRefused?.();
    const task = { id: randomUUID(), contextId: request.message.contextId ?? randomUUID() };
    if (!answer.ok) {
      if (!REFUSALS.has(answer.status)) throw apiFailure(answer, url.origin);
      const parts = partsOf(answer, url.origin);
      return {
        ...task,
        status: {
          state: 'rejected',
          message: {
            messageId: randomUUID(),
            role: 'agent',
            parts: parts.length > 0 ? parts : [{ text: `The API answered HTTP ${answer.status}.` }],
          },
        },
      };
    }
    const parts = partsOf(answer, url.origin);
    const artifacts: Artifact[] = parts.length === 0 ? [] : [{ artifactId: 'output', parts }];
    return { ...task, status: { state: 'completed' }, artifacts };
  };
  return {
    async *send(target, request, { signal }) {
      try {
        yield { task: await outcomeOf(target, request, signal) };
      } catch (error) {
        throw naming(target.agent.handle, error, signal);
      }
    },
    // biome-ignore lint/correctness/useYield: there is nothing to follow, and saying so is all it does
    async *resubscribe() {
      throw keepsNothing();
    },
    get: (): Promise<Task> => Promise.reject(keepsNothing()),
    cancel: (): Promise<Task> =>
      Promise.reject(new RollcallError('TASK_NOT_CANCELABLE', 'A plain API has no way to be told to stop.')),
  };
}

const keepsNothing = (): RollcallError =>
  new RollcallError('TASK_NOT_FOUND', 'A plain API keeps no tasks that it could be asked about.');
