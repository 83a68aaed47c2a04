import { RollcallError } from '../../errors.ts';
import { isInterrupted, isTerminal, type StreamEvent } from '../../protocol/a2a/model.ts';
import type { SendRequest } from '../../protocol/a2a/requests.ts';
import type { TokenCache } from '../credentials.ts';
import type { Egress } from '../egress.ts';
import type { AgentExecutor, UpstreamCall, UpstreamTarget } from '../executor.ts';
import { watchingFirst } from '../first-step.ts';
import { isTransient } from './failures.ts';
import { DEFAULT_TIMING, type FollowTiming, isAtRest, patiently, poll, stateOf, taskIdOf } from './follow.ts';
import { openPeer } from './open-peer.ts';
import { withOwnContext, withOwnIds } from './own-ids.ts';
import type { Peer } from './peer.ts';
import { madeWhole } from './whole.ts';

/** For calls that only look something up or tell the agent to stop. */
const SHORT_MS = 30_000;

/** How the bindings say that a method does not exist, which agents say before they do anything. */
const NO_SUCH_METHOD: ReadonlySet<unknown> = new Set(['UNIMPLEMENTED', -32601]);
const isNoSuchMethod = (error: unknown): boolean =>
  error instanceof RollcallError && NO_SUCH_METHOD.has(error.details['upstreamCode']);

/** An answer to a question is awaited: at once, an agent would show the task as it still was when it asked. */
function waiting(request: SendRequest, taskId: string | undefined): SendRequest {
  if (taskId === undefined || !request.configuration?.returnImmediately) return request;
  return { ...request, configuration: { ...request.configuration, returnImmediately: false } };
}

interface HandOn {
  /** The task that was there before the stream. */
  readonly known?: string | undefined;
  /** The task that the stream must be about, where that is certain; else its first event says it. */
  readonly about?: string | undefined;
  /** Whether the stream answers a message to a task that waited. */
  readonly isAnswer?: boolean;
  /** Says afterwards whether the agent said anything. */
  readonly heard?: { any: boolean };
}

/** Drives agents that speak A2A. Streams where the agent says it can, else sends and asks until the task rests. */
export function createA2aExecutor(
  egress: Egress,
  tokens: TokenCache,
  timing: Partial<FollowTiming> = {},
): AgentExecutor {
  const pace = { ...DEFAULT_TIMING, ...timing };
  // Agents are read anew every few seconds, and called many times in between.
  const peers = new WeakMap<UpstreamTarget, Peer>();
  const peerOf = (target: UpstreamTarget): Peer => {
    const known = peers.get(target);
    if (known !== undefined) return known;
    const peer = openPeer(egress, tokens, target);
    peers.set(target, peer);
    return peer;
  };
  const ask = (peer: Peer, id: string, call: UpstreamCall) => peer.call('GetTask', { id }, call, SHORT_MS);

  /**
   * Hands on a stream, and goes on by asking when it breaks off or ends early: agents may close it at any state that
   * waits for someone, and connections are cut.
   */
  async function* handOn(
    peer: Peer,
    open: () => AsyncIterable<{ readonly event: StreamEvent }>,
    call: UpstreamCall,
    { known, about, isAnswer = false, heard = { any: false } }: HandOn = {},
  ): AsyncGenerator<StreamEvent> {
    let taskId = known;
    // An agent may answer a message to a task with a new one.
    let subject = about;
    let isFirst = true;
    let atRest = false;
    let stale: StreamEvent | undefined;
    try {
      for await (const { event } of open()) {
        heard.any = true;
        const named = taskIdOf(event) ?? event.message?.taskId;
        // Another task's end would be ours, and its artifacts too.
        if (named && named !== (subject ?? named)) continue;
        subject ??= named || undefined;
        taskId ??= named;
        // An answer to a question begins with the task as it was asked: it still waits, but no longer for us.
        const wasFirst = isFirst;
        isFirst = false;
        if (wasFirst && isAnswer && event.task !== undefined && isInterrupted(event.task.status.state)) {
          stale = event;
          continue;
        }
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
      throw new RollcallError(
        'UPSTREAM_INVALID',
        `Agent ${peer.handle}: its stream ended without a task or a message.`,
      );
    }
    const id = taskId;
    yield* poll(() => ask(peer, id, call), call.signal, pace);
  }

  /** Sends without a stream, and asks until the task rests. */
  async function* sendAndAsk(
    peer: Peer,
    request: SendRequest,
    call: UpstreamCall,
    known: string | undefined,
  ): AsyncGenerator<StreamEvent> {
    const result = await peer.call('SendMessage', waiting(request, known), call);
    yield result;
    const { task } = result;
    if (task === undefined || isAtRest(task.status.state)) return;
    yield* poll(() => ask(peer, task.id, call), call.signal, pace);
  }

  /** Sends, and follows the work. `known`: the task that the message belongs to. */
  function exchange(
    peer: Peer,
    streaming: boolean,
    request: SendRequest,
    call: UpstreamCall,
    known = request.message.taskId,
  ): AsyncIterable<StreamEvent> {
    if (!streaming) return sendAndAsk(peer, request, call, known);
    const heard = { any: false };
    const open = () => peer.stream('SendStreamingMessage', request, call);
    const about = peer.dialect.clientChosenIds ? request.clientIds?.taskId : undefined;
    return watchingFirst({
      begin: () => handOn(peer, open, call, { known, about, isAnswer: known !== undefined, heard }),
      failed(error) {
        // It promised to stream and has no such method: nothing was done yet, and the other way may work. What an agent
        // that spoke lacks is another method, and the message must not go out again.
        if (heard.any || call.signal.aborted || !isNoSuchMethod(error)) throw error;
        return sendAndAsk(peer, request, call, known);
      },
    });
  }

  return {
    waits: true,
    send(target, request, call) {
      const peer = peerOf(target);
      const { streaming } = target.agent;
      if (!peer.dialect.clientChosenIds) return exchange(peer, streaming, request, call);
      const own = withOwnIds(request);
      return withOwnContext(exchange(peer, streaming, own, call, request.message.taskId), own);
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
        const open = () => peer.stream('SubscribeToTask', { id: taskId }, call);
        yield* madeWhole(handOn(peer, open, call, { known: taskId, about: taskId }), () => ask(peer, taskId, call));
      } catch (error) {
        // It finished in between, or does not know how to resubscribe: asking still works.
        if (call.signal.aborted || !(error instanceof RollcallError) || error.code !== 'UNSUPPORTED_OPERATION')
          throw error;
        yield* poll(() => ask(peer, taskId, call), call.signal, pace);
      }
    },

    get: (target, id, call) => ask(peerOf(target), id, call),
    async cancel(target, id, call) {
      const peer = peerOf(target);
      const task = await peer.call('CancelTask', { id }, call, SHORT_MS);
      if (isTerminal(task.status.state)) return task;
      // Some agents answer with the task as it was just before it stopped.
      return ask(peer, id, call).catch(() => task);
    },
  };
}
