import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import type { Principal } from '../auth/principal.ts';
import type { TraceSpan } from '../telemetry.ts';

export type MaybePromise<T> = T | Promise<T>;

/** A JSON object as it travels between engine and subgraphs. */
export type JsonObject = Record<string, unknown>;

export type OperationType = 'query' | 'mutation' | 'subscription';

/**
 * What the hosts pass along with every operation. The gateway reads these members only; everything else in it is
 * for the resolvers of in-process subgraphs, which receive the very same object.
 */
export interface GatewayContext {
  /** Headers of the caller's request, names in lower case; only allow-listed ones are forwarded. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Identifies the caller: nothing is ever shared between two different keys. */
  readonly principalKey: string;
  /** Who asks: the hosts count their streams, and end them with their token. */
  readonly principal?: Principal;
  /** Takes a header of a subgraph's answer for the caller's; hosts that answer over HTTP have it. */
  returnHeader?(name: string, value: string | readonly string[]): void;
  /** Whether anyone signed in; nobody did where it is left out. */
  readonly signedIn?: boolean;
  /** Whether the caller holds a scope, also one that only another team's subgraph knows. */
  holdsScope?(scope: string): boolean;
}

/** One operation to execute. The document is parsed and valid against the schema it is sent to. */
export interface ExecRequest {
  readonly document: DocumentNode;
  readonly variables?: Readonly<JsonObject> | undefined;
  /** Needed only when the document holds several operations. */
  readonly operationName?: string | undefined;
  readonly operationType: OperationType;
  readonly context: GatewayContext;
  /** When remote answers must be there: milliseconds on `performance.now()`'s clock. */
  readonly deadline?: number | undefined;
  /** The operation's trace, where it has one. */
  readonly trace?: TraceSpan | undefined;
  /** Aborting it stops remote calls and ends streams. */
  readonly signal?: AbortSignal | undefined;
}

/** A single result, or (for subscriptions) one result per event. */
export type ExecResult = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Executes operations on one subgraph. Throws (or rejects) when there is no answer at all; errors of fields are in the result. */
export interface SubgraphExecutor {
  /** True when resolvers run in this process: their errors then keep their `originalError`, and no deadline applies. */
  readonly inProcess: boolean;
  execute(request: ExecRequest): MaybePromise<ExecResult>;
  close(): Promise<void>;
}

/** The executor for a subgraph of the supergraph; `url` is what composition was told. */
export type ExecutorFactory = (subgraphName: string, url: string) => SubgraphExecutor;

/** An operation by its text. */
export interface OperationText {
  readonly text: string;
  readonly operationName: string | undefined;
}

/**
 * A supergraph, ready to execute. Immutable: a new supergraph is a new engine, and the old one is closed when its last
 * operation has ended. Executes only documents that are valid against `schema`.
 */
export interface Engine {
  /** The client-facing schema: no federation machinery, nothing `@inaccessible`. */
  readonly schema: GraphQLSchema;
  readonly supergraphSdl: string;
  /** Never throws for a failing subgraph (that is partial data and `errors`); throws for an aborted request or a fault of ours. */
  execute(request: ExecRequest): MaybePromise<ExecResult>;
  /** Operations that were asked lately, the latest first. Absent where nothing is prepared. */
  recentOperations?(): readonly OperationText[];
  /** Plans an operation without running it. Rejects where it cannot be planned. */
  prepare?(document: DocumentNode, operationName: string | undefined): Promise<void>;
  /** Says that only streams are left to run: what starting an operation needs may go. */
  retire?(): void;
  /** Closes the subgraph executors; operations that are still running fail. */
  close(): Promise<void>;
}

export const isAsyncIterable = (value: ExecResult): value is AsyncIterable<ExecutionResult> =>
  Symbol.asyncIterator in value;
