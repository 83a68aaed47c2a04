import { createRequire } from 'node:module';
import { type DocumentNode, type ExecutionResult, execute, GraphQLError, type GraphQLSchema, subscribe } from 'graphql';
import type { CompiledQuery } from 'graphql-jit';
import { DocumentCache } from './document-cache.ts';
import type { ExecRequest, ExecResult, JsonObject, MaybePromise, SubgraphExecutor } from './engine.ts';
import { isPromise } from './maybe-promise.ts';
import { joinsConditions, withOwnFragments } from './own-fragments.ts';
import { runSerially, splitMutation } from './serial-mutation.ts';

// The ES build of graphql-jit imports CommonJS names that Node cannot see; its CommonJS build works everywhere.
const { compileQuery, isCompiledQuery } = createRequire(import.meta.url)('graphql-jit') as typeof import('graphql-jit');

export interface LocalOptions {
  /** How many operations stay compiled; 1,000 when left out. */
  readonly capacity?: number;
  /**
   * How many times an operation runs through graphql-js before it is compiled; 0 when left out. Compiling costs as much
   * as interpreting a few runs, but graphql-js 16 leaves a rejection unhandled (which ends the process) when in one
   * list a non-null item fails at once and an earlier one fails later.
   */
  readonly interpretFirst?: number;
}

interface Prepared {
  uses: number;
  /** Undefined before it is compiled, null where graphql-jit cannot compile it. */
  compiled: CompiledQuery<JsonObject, JsonObject> | null | undefined;
  /** The root fields of a mutation that has several. */
  readonly serial: readonly DocumentNode[] | null;
}

/**
 * An in-process subgraph. Operations are compiled by graphql-jit, once; what it cannot compile, and every
 * subscription, runs through graphql-js.
 */
export function localExecutor(schema: GraphQLSchema, options: LocalOptions = {}): SubgraphExecutor {
  const cache = new DocumentCache<Prepared>(options.capacity ?? 1_000);
  const interpretFirst = options.interpretFirst ?? 0;

  const prepare = (request: ExecRequest): Prepared => ({
    uses: 0,
    compiled: undefined,
    serial: request.operationType === 'mutation' ? splitMutation(request.document, request.operationName) : null,
  });

  function run(request: ExecRequest): MaybePromise<ExecutionResult> {
    const prepared = cache.get(request.document, request.operationName, () => prepare(request));
    if (prepared.serial !== null) return runSerially(prepared.serial, (document) => run({ ...request, document }));
    if (prepared.uses++ < interpretFirst) return execute(argumentsOf(schema, request));
    if (prepared.compiled === undefined) prepared.compiled = compile(schema, request.document, request.operationName);
    if (prepared.compiled === null) return execute(argumentsOf(schema, request));
    const result = prepared.compiled.query(
      {},
      request.context,
      request.variables ?? {},
    ) as MaybePromise<ExecutionResult>;
    return isPromise(result) ? result.then(withExtensions) : withExtensions(result);
  }

  return {
    inProcess: true,
    execute(request: ExecRequest): MaybePromise<ExecResult> {
      request.signal?.throwIfAborted();
      if (request.operationType !== 'subscription') return run(request);
      return subscribe(argumentsOf(schema, request)) as Promise<ExecResult>;
    },
    async close() {},
  };
}

const argumentsOf = (schema: GraphQLSchema, request: ExecRequest) => ({
  schema,
  document: request.document,
  rootValue: {},
  contextValue: request.context,
  variableValues: request.variables ?? {},
  operationName: request.operationName ?? null,
});

function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined) {
  try {
    const own = withOwnFragments(document);
    if (own === null || joinsConditions(own)) return null;
    const compiled = compileQuery<JsonObject, JsonObject>(schema, own, operationName ?? '');
    return isCompiledQuery(compiled) ? compiled : null;
  } catch {
    return null;
  }
}

/**
 * graphql-jit leaves `extensions` out of errors whose origin has none; graphql-js promises an object there, and
 * whoever formats errors relies on it.
 */
function withExtensions(result: ExecutionResult): ExecutionResult {
  if (result.errors?.every((error) => error.extensions !== undefined) ?? true) return result;
  return { ...result, errors: result.errors!.map(rebuilt) };
}

const rebuilt = ({ message, nodes, path, originalError }: GraphQLError): GraphQLError =>
  new GraphQLError(message, { nodes: nodes ?? null, path: path ?? null, originalError: originalError ?? null });
