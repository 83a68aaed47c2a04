import {
  buildSchema,
  type ExecutionResult,
  execute,
  type FieldNode,
  type GraphQLError,
  type GraphQLSchema,
  isNonNullType,
  print,
} from 'graphql';
import { RollcallError } from '../errors.ts';
import { compileCompletion } from './complete/complete.ts';
import { isExplained, withinResponse } from './complete/explain.ts';
import { DocumentCache } from './document-cache.ts';
import type { Engine, ExecRequest, ExecResult, MaybePromise, SubgraphExecutor } from './engine.ts';
import type { ErrorSource } from './failure.ts';
import { coerceVariables, type SelectedOperation, selectOperation, splitIntrospection } from './operation.ts';
import { ClientKeys } from './plan/client-keys.ts';
import { compilePlan, inSequence } from './plan/compile.ts';
import { createMerge } from './plan/merge.ts';
import { PlannerDocuments } from './plan/planner-document.ts';
import { rootConditions } from './plan/root-conditions.ts';
import { type Finish, newRun, type PlanContext, type PlanRun, type Step } from './plan/run.ts';
import { compileSubscription } from './plan/subscription.ts';
import { TypeIndex } from './plan/type-index.ts';
import type { Planner } from './planner/process.ts';
import { splitMutation } from './serial-mutation.ts';

export interface PlannerEngineOptions {
  readonly supergraphSdl: string;
  readonly schema: GraphQLSchema;
  readonly planner: Planner;
  /** By subgraph name and by `join__Graph` value. */
  readonly subgraphs: ReadonlyMap<string, { readonly source: ErrorSource; readonly executor: SubgraphExecutor }>;
  /** How many operations stay planned. */
  readonly capacity: number;
}

type Run = (request: ExecRequest) => MaybePromise<ExecResult>;

/** Executes over any number of subgraphs: an operation is planned and compiled on first sight, then only run. */
export function createPlannerEngine(options: PlannerEngineOptions): Engine {
  const { supergraphSdl, schema, planner, subgraphs } = options;
  const supergraph = buildSchema(supergraphSdl, { assumeValid: true, assumeValidSDL: true });
  const types = new TypeIndex(supergraph);
  const keys = new ClientKeys(supergraph);
  const documents = new PlannerDocuments(schema, supergraphSdl, keys);
  const context: PlanContext = {
    types,
    merge: createMerge((typeName) => types.isObject(typeName)),
    subgraph(serviceName) {
      const found = subgraphs.get(serviceName);
      if (found === undefined) throw new Error(`The plan names subgraph ${serviceName}, which the supergraph lacks.`);
      return found;
    },
    isNonNullMutation: (name) => isNonNullType(schema.getMutationType()?.getFields()[name]?.type),
  };
  const operations = new DocumentCache<{ run: Run | Promise<Run> }>(options.capacity);

  async function prepare(request: ExecRequest): Promise<Run> {
    const selected = selectOperation(request.document, request.operationName);
    if (!('operation' in selected)) return () => ({ errors: [selected] });
    const root = schema.getRootType(selected.operation.operation);
    if (!root) throw new RollcallError('INTERNAL', `The schema has no ${selected.operation.operation} type.`);
    const complete = compileCompletion(root, [{ selectionSet: selected.operation.selectionSet, included: null }], {
      schema,
      fragments: selected.fragments,
      satisfies: (typeName, condition) => types.satisfies(typeName, condition),
      sourceKey: (field) => keys.sourceKey(field),
    });
    const asked = { ...selected, sourceKey: (field: FieldNode) => keys.sourceKey(field) };
    const finish: Finish = (run, failed = false) => {
      const violations: GraphQLError[] = [];
      const data = failed ? null : complete(run.data ?? {}, { variables: run.variables, path: [], violations });
      if (run.errors.length === 0 && violations.length === 0) return { data };
      const told = run.errors.flatMap((error) => withinResponse(error, data, asked) ?? []);
      const errors = [...told, ...violations.filter((violation) => !isExplained(violation, told))];
      return errors.length > 0 ? { errors, data } : { data };
    };
    const coerce = (request: ExecRequest) => coerceVariables(schema, selected.operation, request.variables);
    const split = splitIntrospection(selected);
    const name = selected.operation.name?.value;
    const document = split.data === null ? null : documents.rewrite(split.data);
    // One plan for each root field of a mutation: a plan for all of them would run later fields before it has fetched
    // what earlier ones select (GraphQL §6.2.2: each in full before the next).
    const parts = document === null ? [] : (splitMutation(document, name) ?? [document]);
    const plans = await Promise.all(parts.map((part) => planner.plan(print(part), name)));
    if (selected.operation.operation === 'subscription') {
      return compileSubscription(plans[0] ?? null, context, finish, coerce);
    }
    const included = rootConditions(root, asked, types);
    const steps = plans.map((plan, i): Step => {
      const step = plan ? compilePlan(plan, context) : () => {};
      const wanted = root === schema.getMutationType() ? included(parts[i]!) : null;
      return wanted === null ? step : (run) => (wanted(run.variables) ? step(run) : undefined);
    });
    const step = inSequence(steps);
    return (request) => {
      const coerced = coerce(request);
      if (coerced.errors !== undefined) return { errors: coerced.errors };
      const run = newRun(request, coerced.variables);
      const pending = step(run);
      const conclude = () =>
        split.introspection === null ? finish(run) : introspect(request, split.introspection, run, finish);
      return pending ? pending.then(conclude) : conclude();
    };
  }

  function introspect(
    request: ExecRequest,
    document: SelectedOperation['document'],
    run: PlanRun,
    finish: Finish,
  ): MaybePromise<ExecutionResult> {
    const result = execute({ schema, document, variableValues: request.variables ?? {} }) as ExecutionResult;
    run.errors.push(...(result.errors ?? []));
    run.data = { ...run.data, ...result.data };
    return finish(run);
  }

  return {
    schema,
    supergraphSdl,
    execute(request) {
      request.signal?.throwIfAborted();
      const entry = operations.get(request.document, request.operationName, () => ({
        run: prepare(request).then(
          (run) => (entry.run = run),
          (thrown) => {
            // What cannot be planned stays so: asking again would only kill the planner again.
            const final = thrown instanceof RollcallError && thrown.code === 'INTERNAL';
            if (!final) operations.delete(request.document, request.operationName);
            throw thrown;
          },
        ),
      }));
      const { run } = entry;
      return typeof run === 'function' ? run(request) : run.then((ready) => ready(request));
    },
    async close() {
      planner.close();
      await Promise.all([...new Set([...subgraphs.values()].map(({ executor }) => executor))].map((e) => e.close()));
    },
  };
}
