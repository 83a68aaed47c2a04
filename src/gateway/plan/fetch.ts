import type { FetchNode } from '@graphql-hive/router-query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { RollcallError } from '../../errors.ts';
import { type ExecResult, isAsyncIterable, type JsonObject, type MaybePromise, type OperationType } from '../engine.ts';
import { type ErrorSource, relocate, type SubgraphError, subgraphFailure } from '../failure.ts';
import { settle } from '../maybe-promise.ts';
import { withoutFragments } from '../own-fragments.ts';
import { compileRewrites, type Rewrites } from './rewrites.ts';
import type { PlanContext, PlanRun, Step } from './run.ts';

/** The parts that every fetching node has. */
export type FetchParts = Pick<
  FetchNode,
  'serviceName' | 'operation' | 'operationKind' | 'operationName' | 'variableUsages'
>;

export interface FetchCall {
  readonly source: ErrorSource;
  /** The fields at the root of what is sent. */
  readonly rootFields: readonly FieldNode[];
  readonly operationType: OperationType;
  /** What is asked of the entities, by the response key of the list, every fragment written out. */
  entities(key: string): SelectionSetNode;
  /** The client's variables that the fetch uses. */
  variablesOf(run: PlanRun): JsonObject;
  send(run: PlanRun, variables: JsonObject): MaybePromise<ExecResult>;
}

/** Parses a fetch once, so that an in-process subgraph finds the same document (and its compiled form) every time. */
export function compileFetch(node: FetchParts, context: PlanContext): FetchCall {
  const { source, executor } = context.subgraph(node.serviceName);
  const document = parseFetch(node.operation);
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const operationType = node.operationKind ?? 'query';
  const names = node.variableUsages ?? [];
  return {
    source,
    operationType,
    entities(key) {
      const [written] = withoutFragments(document)?.definitions ?? [];
      const selections = written?.kind === Kind.OPERATION_DEFINITION ? written.selectionSet.selections : [];
      const field = selections.find((s): s is FieldNode => s.kind === Kind.FIELD && keyOf(s) === key);
      return field?.selectionSet ?? { kind: Kind.SELECTION_SET, selections: [] };
    },
    rootFields: (operation?.selectionSet.selections ?? []).filter((s): s is FieldNode => s.kind === Kind.FIELD),
    variablesOf(run) {
      const used: JsonObject = {};
      for (const name of names) if (name in run.variables) used[name] = run.variables[name];
      return used;
    },
    send(run, variables) {
      run.request.signal?.throwIfAborted();
      const { context: hostContext, signal, trace } = run.request;
      return executor.execute({
        document,
        variables,
        operationName: node.operationName ?? undefined,
        operationType,
        context: hostContext,
        deadline: operationType === 'subscription' ? undefined : run.deadline,
        signal,
        trace,
      });
    },
  };
}

/** A fragment with nothing in it: the planner writes such when a condition stood on all that was in it. */
const EMPTY_FRAGMENT = /(\.\.\.\s*on\s+\w+\b(?:\s*@\w+\([^()]*\))*)(?!\s*[{@(])/g;

export function parseFetch(operation: string): DocumentNode {
  try {
    return parse(operation, { noLocation: true });
  } catch {
    try {
      return parse(operation.replace(EMPTY_FRAGMENT, '$1{__typename}'), { noLocation: true });
    } catch (cause) {
      const message = 'The gateway cannot plan this operation; write it differently or report it.';
      throw new RollcallError('INTERNAL', message, {
        cause: new Error(`query planner: a fetch is not GraphQL: ${operation}`, { cause }),
      });
    }
  }
}

/** Sends, and insists on a single result: only subscriptions stream. */
export function sendOnce(call: FetchCall, run: PlanRun, variables: JsonObject): MaybePromise<ExecutionResult> {
  return settle(
    () => call.send(run, variables),
    (result) => {
      if (isAsyncIterable(result)) throw new Error(`Subgraph ${call.source.name} streamed where one result was asked.`);
      return result;
    },
    (thrown) => {
      throw thrown;
    },
  );
}

const keyOf = (field: FieldNode): string => field.alias?.value ?? field.name.value;

const rename = (key: string | number, rewrites: Rewrites | null): string | number =>
  typeof key === 'string' ? (rewrites?.renamed.get(key) ?? key) : key;

/** A path in a subgraph's answer as the client sees it. */
export const clientPath = (path: readonly (string | number)[], rewrites: Rewrites | null): (string | number)[] =>
  rewrites === null ? [...path] : path.map((key) => rename(key, rewrites));

/** A fetch at the root of the operation. */
export function compileRootFetch(node: FetchNode, context: PlanContext): Step {
  const call = compileFetch(node, context);
  const rewrites = compileRewrites(node.outputRewrites, context.types);
  const keys = call.rootFields.map((field) => rename(keyOf(field), rewrites));
  const halts =
    call.operationType === 'mutation' && call.rootFields.some((field) => context.isNonNullMutation(field.name.value));

  const take = (run: PlanRun, result: ExecutionResult): void => {
    for (const error of (result.errors ?? []) as readonly SubgraphError[]) {
      const path = error.path?.length ? clientPath(error.path, rewrites) : keys.length === 1 ? keys : undefined;
      run.errors.push(relocate(error, path, call.source));
    }
    const data = result.data as JsonObject | null | undefined;
    if (!data) {
      if (halts) run.halted = true;
      return;
    }
    rewrites?.apply(data);
    run.data = run.data === null ? data : context.merge(run.data, data);
  };

  return (run) =>
    settle(
      () => sendOnce(call, run, call.variablesOf(run)),
      (result) => take(run, result),
      (thrown) => {
        run.request.signal?.throwIfAborted();
        if (halts) run.halted = true;
        for (const key of keys) run.errors.push(subgraphFailure(thrown, [key], call.source));
      },
    );
}
