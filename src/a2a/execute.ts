import type { Principal } from '../auth/principal.ts';
import { invalid } from '../errors.ts';
import { ArtifactIndexes } from '../protocol/a2a/artifact-indexes.ts';
import { DIALECTS } from '../protocol/a2a/dialects/index.ts';
import { EXTENSIONS_HEADER } from '../protocol/a2a/extensions.ts';
import { OPERATIONS } from '../protocol/a2a/methods.ts';
import { closesStream } from '../protocol/a2a/model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../protocol/a2a/requests.ts';
import { requireScope } from '../registry/visibility.ts';
import type { A2aCore, Call } from './call.ts';
import { type Answer, type AnswerOf, HANDLERS, SCOPES, type StreamAnswer } from './operations.ts';
import { untilExpiry } from './until-expiry.ts';

/** One event of a stream, as it goes out. */
export interface Frame {
  /** The cursor after which a reader may continue; absent where more frames of the same event follow. */
  readonly id?: number;
  readonly value: unknown;
}

/** A call as it came in. */
export interface Incoming {
  readonly call: Call;
  /** The wire form: JSON-RPC params, or merged path, query and body. */
  readonly params: unknown;
}

/** What an operation answers, in the caller's dialect: one value, or a stream of them. */
export type Outcome = {
  /** Headers of the answer, in gRPC its metadata. */
  readonly headers: Readonly<Record<string, string>>;
} & (
  | { readonly result: unknown; readonly frames?: never }
  | { readonly frames: AsyncGenerator<Frame>; readonly result?: never }
);

/**
 * Carries out an operation: reads the params in the caller's dialect, and writes the answer in it.
 *
 * @param read is asked once the caller is known to be signed in: to anyone else nothing is said about what they sent
 * @throws RollcallError UNAUTHENTICATED; what `read`, the reader of the dialect and the operation throw
 */
export async function execute(
  core: A2aCore,
  principal: Principal,
  operation: Operation,
  read: () => Incoming,
): Promise<Outcome> {
  const scope = SCOPES[operation];
  if (principal.anonymous && scope !== undefined) requireScope(principal, scope);
  const { call, params } = read();
  const request = DIALECTS[call.dialect].readRequest(operation, params);
  if (request.tenant !== undefined && request.tenant.toLowerCase() !== call.agentId) {
    throw invalid('tenant', `must be ${call.agentId}, the agent of this address, or be left out.`);
  }
  const handler = HANDLERS[operation] as (
    core: A2aCore,
    call: Call,
    request: RequestOf[Operation],
  ) => Promise<AnswerOf<Operation>>;
  const { streaming } = OPERATIONS[operation];
  if (streaming) {
    const release = core.gate.openStream(call.principal);
    // Every call's signal aborts at its end, however it ends.
    if (call.signal.aborted) release();
    else call.signal.addEventListener('abort', release, { once: true });
  }
  const answer = await handler(core, call, request);
  const { activated = [] } = answer;
  const headers = activated.length === 0 ? {} : { [EXTENSIONS_HEADER[call.dialect]]: activated.join(', ') };
  if (streaming) return { headers, frames: untilExpiry(call.principal, framesOf(operation, answer as StreamAnswer)) };
  const { dialect, ids, result } = answer as Answer<UnaryOperation>;
  return {
    headers,
    result: DIALECTS[dialect].writeResult(operation as UnaryOperation, result as ResultOf[never], ids),
  };
}

/** A task's stream as A2A has it (DESIGN §3.6): without the caller's own messages, and closed where A2A closes. */
async function* framesOf(operation: Operation, answer: StreamAnswer): AsyncGenerator<Frame> {
  const dialect = DIALECTS[answer.dialect];
  const artifactIndexes = new ArtifactIndexes(answer.seen.map(({ artifactId }) => artifactId));
  const options = { ...answer.ids, artifactIndexes };
  for await (const { kind, event, state, sequence } of answer.items) {
    // The protocol has no event for a message that joins the history.
    if (kind === 'message') continue;
    for (const { artifactId } of event.task?.artifacts ?? []) artifactIndexes.of(artifactId);
    const values = dialect.writeStreamEvent(operation, event, options);
    for (const [i, value] of values.entries()) yield i === values.length - 1 ? { id: sequence, value } : { value };
    if (kind === 'result') return;
    if (closesStream(state) && !(kind === 'snapshot' && answer.watching)) return;
  }
}
