import { type ExecutionResult, execute, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { compileCompletion } from './complete/complete.ts';
import { DocumentCache } from './document-cache.ts';
import type { Engine, ExecRequest, ExecResult, JsonObject, MaybePromise, SubgraphExecutor } from './engine.ts';
import { isPromise } from './maybe-promise.ts';
import { coerceVariables, type SelectedOperation, selectOperation, splitIntrospection } from './operation.ts';
import { TypeIndex } from './plan/type-index.ts';

export interface SingleEngineOptions {
  readonly supergraphSdl: string;
  readonly schema: GraphQLSchema;
  readonly executor: SubgraphExecutor;
  readonly capacity: number;
}

/**
 * Whether a supergraph of one in-process subgraph can do without plans: nothing is hidden from clients, so an
 * operation that is valid for the client-facing schema means the same to the subgraph.
 */
export const canRunAlone = (supergraphSdl: string, schema: GraphQLSchema): boolean =>
  !/@(inaccessible|authenticated|requiresScopes|policy)\b|isInterfaceObject: true/.test(
    supergraphSdl.replace(/^\s*(directive|@link)\b.*$/gm, ''),
  ) && schema.getQueryType()?.name === 'Query';

/** One in-process subgraph: the client's own document runs on it, introspection on the client-facing schema. */
export function createSingleEngine(options: SingleEngineOptions): Engine {
  const { schema, executor } = options;
  const operations = new DocumentCache<{ run: (request: ExecRequest) => MaybePromise<ExecResult> }>(options.capacity);

  function prepare({ document, operationName }: ExecRequest) {
    const selected = selectOperation(document, operationName);
    if (!('operation' in selected)) return { run: () => ({ errors: [selected] }) };
    const { introspection, data } = splitIntrospection(selected);
    if (introspection === null) return { run: (request: ExecRequest) => executor.execute(request) };
    const introspect = (request: ExecRequest): ExecutionResult =>
      execute({ schema, document: introspection, variableValues: request.variables ?? {} }) as ExecutionResult;
    if (data === null) {
      const wholly = { document, operationName: operationName ?? null };
      return { run: (request: ExecRequest) => execute({ schema, ...wholly, variableValues: request.variables ?? {} }) };
    }
    const shape = shapeOf(selected, schema);
    return {
      run: (request: ExecRequest) => {
        const result = executor.execute({ ...request, document: data, operationName: undefined });
        const about = introspect(request);
        return isPromise(result)
          ? result.then((answer) => together(answer as ExecutionResult, about, shape, request))
          : together(result as ExecutionResult, about, shape, request);
      },
    };
  }

  return {
    schema,
    supergraphSdl: options.supergraphSdl,
    execute(request) {
      request.signal?.throwIfAborted();
      return operations.get(request.document, request.operationName, () => prepare(request)).run(request);
    },
    close: () => executor.close(),
  };
}

type Shape = (data: JsonObject, request: ExecRequest) => JsonObject | null;

/** The two halves have a placeholder for each other, and their keys in no particular order: this puts them right. */
function shapeOf({ operation, fragments }: SelectedOperation, schema: GraphQLSchema): Shape {
  const types = new TypeIndex(schema);
  const complete = compileCompletion(
    schema.getRootType(operation.operation) as GraphQLObjectType,
    [{ selectionSet: operation.selectionSet, included: null }],
    {
      schema,
      fragments,
      satisfies: (typeName, condition) => types.satisfies(typeName, condition),
      sourceKey: (field) => (field.alias ?? field.name).value,
    },
  );
  return (data, request) => {
    const { variables = {} } = coerceVariables(schema, operation, request.variables);
    return complete(data, { variables, path: [], violations: [] });
  };
}

function together(
  answer: ExecutionResult,
  about: ExecutionResult,
  shape: Shape,
  request: ExecRequest,
): ExecutionResult {
  const errors = [...(answer.errors ?? []), ...(about.errors ?? [])];
  const data = answer.data && shape({ ...answer.data, ...about.data }, request);
  return { ...(errors.length > 0 ? { errors } : {}), ...(data === undefined ? {} : { data }) };
}
