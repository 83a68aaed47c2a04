import { randomUUID } from 'node:crypto';
import { RollcallError } from '../../errors.ts';
import { isInterrupted, type StreamEvent } from '../../protocol/a2a/model.ts';
import type { SendRequest } from '../../protocol/a2a/requests.ts';
import type { TokenCache } from '../credentials.ts';
import type { Egress } from '../egress.ts';
import type { AgentExecutor, UpstreamCall, UpstreamTarget } from '../executor.ts';
import { isTransient } from './failures.ts';
import { DEFAULT_TIMING, type FollowTiming, isAtRest, patiently, poll, stateOf, taskIdOf } from './follow.ts';
import { Peer } from './peer.ts';

/** For calls that only look something up or tell the agent to stop. */
const SHORT_MS = 30_000;

/** The early era's agents take the ids that their clients choose: ours are new, whoever the message is from. */
function withOwnIds(request: SendRequest): SendRequest {
  const { taskId, contextId, ...message } = request.message;
  const clientIds = { taskId: taskId ?? randomUUID(), contextId: contextId ?? randomUUID() };
  return { ...request, message, clientIds };
}

/** An answer to a question is awaited: at once, an agent would show the task as it still was when it asked. */
function waiting(request: SendRequest, taskId: string | undefined): SendRequest {
  if (taskId === undefined || !request.configuration?.returnImmediately) return request;
  return { ...request, configuration: { ...request.configuration, returnImmediately: false } };
}

/** Drives agents that speak A2A. Streams where the agent says it can, else sends and asks until the task rests. */
export function createA2aExecutor(
  egress: Egress,
  tokens: TokenCache,
  timing: Partial<FollowTiming> = {},
): AgentExecutor {
  const pace = { ...DEFAULT_TIMING, ...timing };
  const peerOf = (target: UpstreamTarget) => new Peer(egress, tokens, target);
  const ask = (peer: Peer, id: string, call: UpstreamCall) => peer.call('GetTask', { id }, call, SHORT_MS);

  /**
   * Hands on a stream, and goes on by asking when it breaks off or ends early: agents may close it at any state that
   * waits for someone, and connections are cut.
   */
  async function* handOn(
    peer: Peer,
    open: () => AsyncIterable<{ readonly event: StreamEvent }>,
    call: UpstreamCall,
    { known, isAnswer = false }: { known?: string | undefined; isAnswer?: boolean } = {},
  ): AsyncGenerator<StreamEvent> {
    let taskId = known;
    let atRest = false;
    let first = true;
    let stale: StreamEvent | undefined;
    try {
      for await (const { event } of open()) {
        taskId ??= taskIdOf(event);
        // An answer to a question begins with the task as it was asked: it still waits, but no longer for us.
        if (first && isAnswer && event.task !== undefined && isInterrupted(event.task.status.state)) {
          first = false;
          stale = event;
          continue;
        }
        first = false;
        stale = undefined;
        const state = stateOf(event);
        if (state !== undefined) atRest = isAtRest(state);
        yield event;
        if (event.message !== undefined || atRest) return;
      }
      if (stale !== undefined) {
        yield stale;
        if (isAtRest(stale.task?.status.state ?? 'unknown')) return;
      }
    } catch (error) {
      if (taskId === undefined || call.signal.aborted || !isTransient(error)) throw error;
    }
    if (taskId === undefined) {
      throw new RollcallError('UPSTREAM_INVALID', "The agent's stream ended without a task or a message.");
    }
    const id = taskId;
    yield* poll(() => ask(peer, id, call), call.signal, pace);
  }

  return {
    async *send(target, given, call) {
      const peer = peerOf(target);
      const request = peer.endpoint.binding.dialect.clientChosenIds ? withOwnIds(given) : given;
      if (target.agent.streaming) {
        yield* handOn(peer, () => peer.stream('SendStreamingMessage', request, call), call, {
          known: given.message.taskId,
          isAnswer: given.message.taskId !== undefined,
        });
        return;
      }
      const result = await peer.call('SendMessage', waiting(request, given.message.taskId), call);
      yield result;
      const { task } = result;
      if (task === undefined || isAtRest(task.status.state)) return;
      yield* poll(() => ask(peer, task.id, call), call.signal, pace);
    },

    async *resubscribe(target, taskId, call) {
      const peer = peerOf(target);
      // The snapshot comes first: what 0.3 agents stream after a resubscription does not begin with one.
      const task = await patiently(() => ask(peer, taskId, call), call.signal, pace);
      yield { task };
      if (isAtRest(task.status.state)) return;
      if (!target.agent.streaming) {
        yield* poll(() => ask(peer, taskId, call), call.signal, pace);
        return;
      }
      try {
        yield* handOn(peer, () => peer.stream('SubscribeToTask', { id: taskId }, call), call, { known: taskId });
      } catch (error) {
        // It finished in between, or does not know how to resubscribe: asking still works.
        if (call.signal.aborted || !(error instanceof RollcallError) || error.code !== 'UNSUPPORTED_OPERATION')
          throw error;
        yield* poll(() => ask(peer, taskId, call), call.signal, pace);
      }
    },

    get: (target, id, call) => ask(peerOf(target), id, call),
    cancel: (target, id, call) => peerOf(target).call('CancelTask', { id }, call, SHORT_MS),
  };
}
