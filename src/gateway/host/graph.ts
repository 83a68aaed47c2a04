import type { GatewayInterface, GatewaySchemaLoadOrUpdateCallback } from '@apollo/server-gateway-interface';
import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import type { Engine, ExecRequest, ExecResult, GatewayContext, MaybePromise } from '../engine.ts';
import { isPromise } from '../maybe-promise.ts';

/** In a context: the result of its operation, where it has been executed already (see hot-path.ts). */
export const ANSWERED: unique symbol = Symbol('answered');

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
    const result = (this.#bySchema.get(schema) ?? this.#engine).execute(request);
    return isPromise(result) ? result.then(withRequestErrorCode) : withRequestErrorCode(result);
  }

  onSchemaLoadOrUpdate(listener: GatewaySchemaLoadOrUpdateCallback): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(): Promise<Awaited<ReturnType<GatewayInterface['load']>>> {
    for (const listener of this.#listeners) listener(this.#context());
    return {
      executor: async ({ schema, document, request, operation, operationName, context }) =>
        ((context as { [ANSWERED]?: ExecutionResult })[ANSWERED] ??
          (await this.execute(schema, {
            document,
            variables: request.variables ?? {},
            operationName: operationName ?? undefined,
            operationType: operation.operation,
            context: context as unknown as GatewayContext,
          }))) as ExecutionResult<Record<string, unknown>, Record<string, unknown>>,
    };
  }

  async stop(): Promise<void> {}

  #context(): { apiSchema: GraphQLSchema; coreSupergraphSdl: string } {
    return { apiSchema: this.#engine.schema, coreSupergraphSdl: this.#engine.supergraphSdl };
  }
}

/**
 * A result without data was refused before it ran (GraphQL §7.1.2): its variables do not fit. Apollo's code for it.
 * graphql-jit's errors have no `extensions` at all.
 */
function withRequestErrorCode(result: ExecResult): ExecResult {
  if (!('errors' in result) || result.errors === undefined || 'data' in result) return result;
  const errors = result.errors.map((e) =>
    e.extensions?.['code'] !== undefined ||
    (e.originalError !== undefined && !(e.originalError instanceof GraphQLError))
      ? e
      : new GraphQLError(e.message, {
          nodes: e.nodes ?? null,
          source: e.source ?? null,
          positions: e.positions ?? null,
          path: e.path ?? null,
          extensions: { ...e.extensions, code: 'BAD_USER_INPUT' },
        }),
  );
  return { ...result, errors };
}
