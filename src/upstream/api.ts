import { randomUUID } from 'node:crypto';
import { RollcallError } from '../errors.ts';
import type { Artifact, Part, Task } from '../protocol/a2a/model.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { httpFailure } from './a2a/failures.ts';
import { signIn, type TokenCache } from './credentials.ts';
import type { Egress, EgressResponse } from './egress.ts';
import type { AgentExecutor } from './executor.ts';

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

function partsOf(answer: EgressResponse): Part[] {
  const type = (answer.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const bytes = answer.bytes();
  if (bytes.length === 0) return [];
  if (type === 'application/json' || type.endsWith('+json')) {
    const body = answer.json();
    if (isObject(body) && Array.isArray(body['parts']) && body['parts'].every(isPart)) return body['parts'];
    if (isObject(body) && typeof body['text'] === 'string') return [{ text: body['text'] }];
    return typeof body === 'string' ? [{ text: body }] : [{ data: body }];
  }
  if (type.startsWith('text/')) return [{ text: answer.text(), ...(type === 'text/plain' ? {} : { mediaType: type }) }];
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
  return {
    async *send(target, request, { signal }) {
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
        if (!REFUSALS.has(answer.status)) throw httpFailure(answer.status, url.origin);
        const parts = partsOf(answer);
        yield {
          task: {
            ...task,
            status: {
              state: 'rejected',
              message: {
                messageId: randomUUID(),
                role: 'agent',
                parts: parts.length > 0 ? parts : [{ text: `The API answered HTTP ${answer.status}.` }],
              },
            },
          },
        };
        return;
      }
      const parts = partsOf(answer);
      const artifacts: Artifact[] = parts.length === 0 ? [] : [{ artifactId: 'output', parts }];
      yield { task: { ...task, status: { state: 'completed' }, artifacts } };
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
