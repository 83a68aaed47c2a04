import {
  type ExecutionResult,
  execute,
  type FieldNode,
  GraphQLError,
  type GraphQLSchema,
  isNonNullType,
  Kind,
  print,
} from 'graphql';
import { RollcallError } from '../errors.ts';
import { compileCompletion, type Refusal } from './complete/complete.ts';
import { isExplained, withinResponse } from './complete/explain.ts';
import type { ExecRequest, ExecResult, MaybePromise, SubgraphExecutor } from './engine.ts';
import type { ErrorSource } from './failure.ts';
import { type CoercedVariables, coerceVariables, type SelectedOperation, splitIntrospection } from './operation.ts';
import type { ClientKeys } from './plan/client-keys.ts';
import { compilePlan, inSequence } from './plan/compile.ts';
import { splitInterfaceFetches } from './plan/interface-fetches.ts';
import { createMerge } from './plan/merge.ts';
import type { PlannerDocuments } from './plan/planner-document.ts';
import type { Requirements } from './plan/required-inputs.ts';
import { rootConditions } from './plan/root-conditions.ts';
import { type Finish, newRun, type PlanContext, type PlanRun, type Step } from './plan/run.ts';
import { compileSubscription } from './plan/subscription.ts';
import type { TypeIndex } from './plan/type-index.ts';
import type { Planner } from './planner/process.ts';
import { splitMutation } from './serial-mutation.ts';

/** An operation, ready to run any number of times. */
export type Run = (request: ExecRequest) => MaybePromise<ExecResult>;

/** What preparing operations of one supergraph takes. */
export interface PreparerOptions {
  /** As clients see it. */
  readonly schema: GraphQLSchema;
  readonly types: TypeIndex;
  readonly requirements: Requirements;
  readonly keys: ClientKeys;
  readonly documents: PlannerDocuments;
  readonly planner: Planner;
  /** By subgraph name and by `join__Graph` value. */
  readonly subgraphs: ReadonlyMap<string, { readonly source: ErrorSource; readonly executor: SubgraphExecutor }>;
  readonly deadlineMs: number | undefined;
}

/** The part of an operation that one caller may have. */
export interface Allowed {
  /** The operation without the rest: what is fetched. */
  readonly fetched: SelectedOperation;
  /** Why a field, or objects of a type, are left out. */
  readonly refusal: (typeName: string, field?: FieldNode) => Refusal | undefined;
}

/** Plans and compiles an operation; what the caller may not have is answered with its refusal. */
export type Prepare = (asked: SelectedOperation, allowed?: Allowed) => Promise<Run>;

export function createPreparer(options: PreparerOptions): Prepare {
  const { schema, types, keys, documents, planner, subgraphs } = options;
  const context: PlanContext = {
    types,
    requirements: options.requirements,
    merge: createMerge((typeName) => types.isObject(typeName)),
    deadlineMs: options.deadlineMs,
    subgraph(serviceName) {
      const found = subgraphs.get(serviceName);
      if (found === undefined) throw new Error(`The plan names subgraph ${serviceName}, which the supergraph lacks.`);
      return found;
    },
    isNonNullMutation: (name) => isNonNullType(schema.getMutationType()?.getFields()[name]?.type),
  };

  return async (selected, allowed) => {
    const root = schema.getRootType(selected.operation.operation);
    if (!root) throw new RollcallError('INTERNAL', `The schema has no ${selected.operation.operation} type.`);
    const complete = compileCompletion(root, [{ selectionSet: selected.operation.selectionSet, included: null }], {
      schema,
      fragments: selected.fragments,
      satisfies: (typeName, condition) => types.satisfies(typeName, condition),
      sourceKey: (field) => keys.sourceKey(field),
      ...(allowed === undefined ? {} : { withheld: allowed.refusal }),
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
    const isSubscription = selected.operation.operation === 'subscription';
    const refused = isSubscription ? refusedStream(selected, root.name, allowed) : undefined;
    if (refused !== undefined) return () => ({ errors: [refused] });

    const split = splitIntrospection(allowed?.fetched ?? selected);
    const name = selected.operation.name?.value;
    const planned = split.data === null ? null : documents.rewrite(split.data);
    const coerce = (request: ExecRequest): CoercedVariables => {
      const coerced = coerceVariables(schema, selected.operation, request.variables);
      return coerced.errors !== undefined || planned === null
        ? coerced
        : { variables: planned.variables(coerced.variables) };
    };
    // One plan for each root field of a mutation: a plan for all of them would run later fields before it has fetched
    // what earlier ones select (GraphQL §6.2.2: each in full before the next).
    const parts = planned === null ? [] : (splitMutation(planned.document, name) ?? [planned.document]);
    const plans = await Promise.all(
      parts.map(async (part) => {
        const plan = await planner.plan(print(part), name);
        return plan && splitInterfaceFetches(plan, asked, types);
      }),
    );
    if (isSubscription) return compileSubscription(plans[0] ?? null, context, finish, coerce);
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
      const run = newRun(request, coerced.variables, context.deadlineMs);
      const pending = step(run);
      const conclude = () =>
        split.introspection === null ? finish(run) : introspect(schema, request, split.introspection, run, finish);
      return pending ? pending.then(conclude) : conclude();
    };
  };
}

/** A stream that may not begin has no events to leave its field out of. */
function refusedStream(
  { operation }: SelectedOperation,
  rootName: string,
  allowed: Allowed | undefined,
): GraphQLError | undefined {
  for (const field of operation.selectionSet.selections) {
    if (field.kind !== Kind.FIELD) continue;
    const refusal = allowed?.refusal(rootName, field);
    if (refusal !== undefined) return new GraphQLError(refusal.message, { extensions: { code: refusal.code } });
  }
  return undefined;
}

function introspect(
  schema: GraphQLSchema,
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
