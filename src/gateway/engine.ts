import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';

export type MaybePromise<T> = T | Promise<T>;

/** A JSON object as it travels between engine and subgraphs. */
export type JsonObject = Record<string, unknown>;

export type OperationType = 'query' | 'mutation' | 'subscription';

/**
 * What the hosts pass along with every operation. The gateway reads these two members only; everything else in it is
 * for the resolvers of in-process subgraphs, which receive the very same object.
 */
export interface GatewayContext {
  /** Headers of the caller's request, names in lower case; only allow-listed ones are forwarded. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Identifies the caller: nothing is ever shared between two different keys. */
  readonly principalKey: string;
}

/** One operation to execute. The document is parsed and valid against the schema it is sent to. */
export interface ExecRequest {
  readonly document: DocumentNode;
  readonly variables?: Readonly<JsonObject> | undefined;
  /** Needed only when the document holds several operations. */
  readonly operationName?: string | undefined;
  readonly operationType: OperationType;
  readonly context: GatewayContext;
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
  /** Closes the subgraph executors; operations that are still running fail. */
  close(): Promise<void>;
}

export const isAsyncIterable = (value: ExecResult): value is AsyncIterable<ExecutionResult> =>
  Symbol.asyncIterator in value;
