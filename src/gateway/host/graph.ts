import type { GatewayInterface, GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import type { Tracing } from '../../telemetry.ts';
import type { Engine, ExecRequest, ExecResult, GatewayContext, MaybePromise } from '../engine.ts';
import { isPromise } from '../maybe-promise.ts';
import { EngineUse } from './engine-use.ts';
import { withRequestErrorCode } from './request-errors.ts';
import { tracedExecution } from './traced-execution.ts';

const noOperation = (name: string | null | undefined): GraphQLError =>
  new GraphQLError(
    name == null
      ? 'The document has several operations: say which one in operationName.'
      : `The document has no operation named ${JSON.stringify(name)}.`,
    { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
  );

/** In a context: what its operation came to, where it has been executed already (see {@link Graph.flawless}). */
export const ANSWERED: unique symbol = Symbol('answered');

/**
 * The graph that is being served: one engine at a time, replaced whole. An operation runs on the engine whose schema it
 * was validated against, even when a newer one came meanwhile; an engine that was replaced is closed when its last
 * operation has ended, streams included.
 */
export class Graph implements GatewayInterface {
  #engine: Engine;
  readonly #bySchema = new WeakMap<GraphQLSchema, EngineUse>();
  readonly #replaced = new Set<EngineUse>();
  readonly #listeners = new Set<GatewaySchemaLoadOrUpdateCallback>();
  readonly #tracing: Tracing | undefined;

  constructor(engine: Engine, tracing?: Tracing) {
    this.#tracing = tracing;
    this.#engine = engine;
    this.#bySchema.set(engine.schema, new EngineUse(engine));
  }

  get engine(): Engine {
    return this.#engine;
  }

  /** False before a gateway's first graph: no operation can run then. */
  get loaded(): boolean {
    return this.#engine.supergraphSdl !== '';
  }

  /** Takes a new engine into service. The old one is closed by itself. */
  swap(engine: Engine): void {
    const old = this.#bySchema.get(this.#engine.schema);
    this.#bySchema.set(engine.schema, new EngineUse(engine));
    this.#engine = engine;
    for (const listener of this.#listeners) listener(this.#context());
    if (old === undefined) return;
    this.#replaced.add(old);
    void old.replace().then(() => this.#replaced.delete(old));
  }

  /** Runs an operation on the engine of the schema that it was validated against. */
  execute(schema: GraphQLSchema, request: ExecRequest): MaybePromise<ExecResult> {
    const use = this.#bySchema.get(schema) ?? this.#bySchema.get(this.#engine.schema)!;
    if (this.#tracing !== undefined) return tracedExecution(this.#tracing, use, request).then(withRequestErrorCode);
    const result = use.execute(request);
    return isPromise(result) ? result.then(withRequestErrorCode) : withRequestErrorCode(result);
  }

  /**
   * Runs an operation other than a subscription, and answers its result where that has no errors. Anything else is left
   * in the request's context: Apollo Server's execution then finds it there, and forms the answer without running the
   * operation a second time.
   */
  async flawless(schema: GraphQLSchema, request: ExecRequest): Promise<ExecutionResult | undefined> {
    let outcome: () => ExecutionResult;
    try {
      const running = this.execute(schema, request);
      const result = (isPromise(running) ? await running : running) as ExecutionResult;
      if (result.errors === undefined && result.data !== undefined) return result;
      outcome = () => result;
    } catch (thrown) {
      outcome = () => {
        throw thrown;
      };
    }
    Object.assign(request.context, { [ANSWERED]: outcome });
    return undefined;
  }

  /** Closes the engine and those that it replaced; what still runs on them fails. */
  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), ...[...this.#replaced].map(({ engine }) => engine.close())]);
  }

  onSchemaLoadOrUpdate(listener: GatewaySchemaLoadOrUpdateCallback): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(): Promise<Awaited<ReturnType<GatewayInterface['load']>>> {
    for (const listener of this.#listeners) listener(this.#context());
    return {
      executor: async ({ schema, document, request, operation, operationName, context }) => {
        // Apollo Server leaves it to the executor to find that no operation has the name that was asked for.
        if ((operation as object | undefined) === undefined) return { errors: [noOperation(request.operationName)] };
        const answered = (context as { [ANSWERED]?: () => ExecutionResult })[ANSWERED];
        return (answered?.() ??
          (await this.execute(schema, {
            document,
            variables: request.variables ?? {},
            operationName: operationName ?? undefined,
            operationType: operation.operation,
            context: context as unknown as GatewayContext,
          }))) as ExecutionResult<Record<string, unknown>, Record<string, unknown>>;
      },
    };
  }

  async stop(): Promise<void> {}

  #context(): { apiSchema: GraphQLSchema; coreSupergraphSdl: string } {
    return { apiSchema: this.#engine.schema, coreSupergraphSdl: this.#engine.supergraphSdl };
  }
}
