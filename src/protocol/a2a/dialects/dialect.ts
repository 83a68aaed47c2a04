import { randomUUID } from 'node:crypto';
import { RollcallError } from '../../../errors.ts';
import { ArtifactIndexes } from '../artifact-indexes.ts';
import { type Codec, isObject, type Source, type Target, type WireObject } from '../codec.ts';
import { checkDepth } from '../depth.ts';
import { isTerminal, type StreamEvent, type Task } from '../model.ts';
import type { Operation, RequestOf, ResultOf, UnaryOperation } from '../requests.ts';

/** The wire forms: 1.0, 0.3 in JSON-RPC (and 0.2, which it contains), 0.3 in HTTP+JSON, and the early era. */
export type DialectName = '1.0' | '0.3' | '0.3-rest' | 'early';

/** What a binding knows about the receiver when it writes. */
export interface WriteOptions {
  /** The ids as this client knows them: for the dialects with {@link Dialect.clientChosenIds}; others ignore them. */
  readonly taskId?: string;
  readonly contextId?: string;
  /** For the early era: the numbers of this task's artifacts. Keep one per stream. */
  readonly artifactIndexes?: ArtifactIndexes;
}

export interface ReadOptions {
  /** Makes ids where the dialect has none (the early era's messages); random UUIDs when absent. */
  readonly newId?: () => string;
}

/** One event as it was read, and whether the sender says that nothing follows. */
export interface ReadEvent {
  readonly event: StreamEvent;
  readonly final: boolean;
}

/** One wire version, both ways. A server reads requests and writes results; a client writes requests and reads results. */
export interface Dialect {
  readonly name: DialectName;
  /** The client invents task ids and sessions: the caller keeps the aliases, and passes them in {@link WriteOptions}. */
  readonly clientChosenIds: boolean;
  /** What a webhook of this dialect gets: each event, or the whole task. */
  readonly webhook: { readonly body: 'event' | 'task'; readonly contentType: string };
  /** What a webhook that names no id is: another one each time, or the one of its task. */
  readonly unnamedPushConfig: 'new' | 'task';
  /** Whether the dialect has this operation at all. */
  supports(operation: Operation): boolean;
  /** @throws RollcallError INVALID_INPUT naming the field; UNSUPPORTED_OPERATION where the dialect lacks it. */
  readRequest<O extends Operation>(operation: O, params: unknown, options?: ReadOptions): RequestOf[O];
  /** The params of a call to an agent. @throws RollcallError UNSUPPORTED_OPERATION where the dialect lacks it. */
  writeRequest<O extends Operation>(operation: O, request: RequestOf[O]): unknown;
  /** An agent's answer. @throws RollcallError UPSTREAM_INVALID naming the field; UNSUPPORTED_OPERATION. */
  readResult<O extends UnaryOperation>(operation: O, wire: unknown): ResultOf[O];
  writeResult<O extends UnaryOperation>(operation: O, result: ResultOf[O], options?: WriteOptions): unknown;
  /** False for an object without anything that we know: readers of a stream pass over it, as it may be of a later version. */
  knowsEvent(wire: unknown): boolean;
  /** One event of an agent's stream. @throws RollcallError UPSTREAM_INVALID naming the field. */
  readStreamEvent(wire: unknown): ReadEvent;
  /** The frames that say this event, in order: mostly one; an early client gets a whole task as several. */
  writeStreamEvent(operation: Operation, event: StreamEvent, options?: WriteOptions): readonly unknown[];
  /** The body of a push notification about `event`; `task`, asked only where the body is one, is the task after it. */
  writeWebhook(event: StreamEvent, task: () => Task, options?: WriteOptions): unknown;
}

/** The codecs of one dialect, from which {@link makeDialect} makes the face. */
export interface DialectTables {
  readonly name: DialectName;
  readonly clientChosenIds: boolean;
  readonly webhook: Dialect['webhook'];
  readonly unnamedPushConfig: Dialect['unnamedPushConfig'];
  readonly requests: { readonly [O in Operation]: Codec<RequestOf[O]> | null };
  readonly results: { readonly [O in UnaryOperation]: Codec<ResultOf[O]> | null };
  readonly event: {
    knows(wire: WireObject): boolean;
    read(value: unknown, path: string, source: Source): StreamEvent;
    write(event: StreamEvent, target: Target): readonly unknown[];
    /** Whether the wire event says itself that it is the last; undefined: the state decides. */
    final?(wire: unknown): boolean | undefined;
  };
  /** Operations whose method name another dialect shares: their answers must be readable in both. */
  readonly shared: ReadonlySet<Operation>;
  readonly task: Codec<Task>;
}

const answer: Source = { strict: false, newId: randomUUID };

/** An agent's mistake is not the caller's: the same finding, under another code. */
function fromAgent<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof RollcallError) || thrown.code !== 'INVALID_INPUT') throw thrown;
    throw new RollcallError('UPSTREAM_INVALID', `The agent's answer is not valid: ${thrown.message}`, {
      ...(thrown.field === undefined ? {} : { field: thrown.field }),
    });
  }
}

const endsStream = (event: StreamEvent): boolean => {
  const status = event.statusUpdate?.status ?? event.task?.status;
  return event.message !== undefined || (status !== undefined && isTerminal(status.state));
};

export function makeDialect(tables: DialectTables): Dialect {
  const { name, requests, results, event: events, shared } = tables;
  const target = (operation: Operation | null, options: WriteOptions = {}): Target => ({
    superset: operation !== null && shared.has(operation),
    taskId: tables.clientChosenIds ? options.taskId : undefined,
    contextId: tables.clientChosenIds ? options.contextId : undefined,
    indexes: options.artifactIndexes ?? new ArtifactIndexes(),
  });
  const lacks = (operation: Operation): RollcallError =>
    new RollcallError('UNSUPPORTED_OPERATION', `A2A ${name} has no ${operation}.`);

  return {
    name,
    clientChosenIds: tables.clientChosenIds,
    webhook: tables.webhook,
    unnamedPushConfig: tables.unnamedPushConfig,
    supports: (operation) => requests[operation] !== null,
    readRequest(operation, params, { newId = randomUUID } = {}) {
      const codec = requests[operation];
      if (codec === null) throw lacks(operation);
      checkDepth(params, '');
      return codec.read(params, '', { strict: true, newId });
    },
    writeRequest(operation, request) {
      const codec = requests[operation];
      if (codec === null) throw lacks(operation);
      return codec.write(request, target(null));
    },
    readResult(operation, wire) {
      const codec = results[operation];
      if (codec === null) throw lacks(operation);
      return fromAgent(() => {
        checkDepth(wire, 'result');
        return codec.read(wire, 'result', answer);
      });
    },
    writeResult(operation, result, options) {
      const codec = results[operation];
      if (codec === null) throw lacks(operation);
      return codec.write(result, target(operation, options));
    },
    knowsEvent: (wire) => !isObject(wire) || events.knows(wire),
    readStreamEvent(wire) {
      return fromAgent(() => {
        checkDepth(wire, 'result');
        const event = events.read(wire, 'result', answer);
        return { event, final: events.final?.(wire) ?? endsStream(event) };
      });
    },
    writeStreamEvent: (operation, event, options) => events.write(event, target(operation, options)),
    writeWebhook: (event, task, options) =>
      tables.webhook.body === 'event'
        ? events.write(event, target(null, options))[0]
        : tables.task.write(task(), target(null, options)),
  };
}
