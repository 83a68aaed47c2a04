import type { GatewayInterface, GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import type { Engine, ExecRequest, ExecResult, GatewayContext, MaybePromise } from '../engine.ts';

/**
 * The graph that is being served: one engine at a time, replaced whole. An operation runs on the engine whose schema it
 * was validated against, even when a newer one came meanwhile.
 */
export class Graph implements GatewayInterface {
  #engine: Engine;
  readonly #bySchema = new WeakMap<GraphQLSchema, Engine>();
  readonly #listeners = new Set<GatewaySchemaLoadOrUpdateCallback>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#bySchema.set(engine.schema, engine);
  }

  get engine(): Engine {
    return this.#engine;
  }

  /** Takes a new engine into service. The old one is the caller's to close once its operations have ended. */
  swap(engine: Engine): void {
    this.#bySchema.set(engine.schema, engine);
    this.#engine = engine;
    for (const listener of this.#listeners) listener(this.#context());
  }

  /** Runs an operation on the engine of the schema that it was validated against. */
  execute(schema: GraphQLSchema, request: ExecRequest): MaybePromise<ExecResult> {
    return (this.#bySchema.get(schema) ?? this.#engine).execute(request);
  }

  onSchemaLoadOrUpdate(listener: GatewaySchemaLoadOrUpdateCallback): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(): Promise<Awaited<ReturnType<GatewayInterface['load']>>> {
    for (const listener of this.#listeners) listener(this.#context());
    return {
      executor: async ({ schema, document, request, operation, operationName, context }) =>
        (await this.execute(schema, {
          document,
          variables: request.variables ?? {},
          operationName: operationName ?? undefined,
          operationType: operation.operation,
          context: context as unknown as GatewayContext,
        })) as ExecutionResult<Record<string, unknown>, Record<string, unknown>>,
    };
  }

  async stop(): Promise<void> {}

  #context(): { apiSchema: GraphQLSchema; coreSupergraphSdl: string } {
    return { apiSchema: this.#engine.schema, coreSupergraphSdl: this.#engine.supergraphSdl };
  }
}
