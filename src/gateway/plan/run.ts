import type { ExecutionResult, GraphQLError } from 'graphql';
import type { ExecRequest, JsonObject, SubgraphExecutor } from '../engine.ts';
import type { ErrorSource } from '../failure.ts';
import type { Merge } from './merge.ts';
import type { Requirements } from './required-inputs.ts';
import type { TypeIndex } from './type-index.ts';

/** One execution of a plan: what was fetched so far, in the client's shape plus what later fetches need. */
export interface PlanRun {
  data: JsonObject | null;
  readonly errors: GraphQLError[];
  /** See {@link ExecRequest.deadline}. */
  readonly deadline: number | undefined;
  /** Coerced against the operation: defaults filled in. */
  readonly variables: Readonly<JsonObject>;
  readonly request: ExecRequest;
  /** Set when a mutation's non-null root field failed: what comes after it must not run (GraphQL §6.2.2, §6.4.4). */
  halted: boolean;
}

/** A compiled plan node. Returns a promise only where something is really awaited. */
export type Step = (run: PlanRun) => void | Promise<void>;

/** What compiling a plan needs of its supergraph. */
export interface PlanContext {
  readonly types: TypeIndex;
  readonly merge: Merge;
  readonly requirements: Requirements;
  /** The subgraph that a plan names; throws for a name that the supergraph does not know. */
  subgraph(serviceName: string): { readonly source: ErrorSource; readonly executor: SubgraphExecutor };
  /** Milliseconds that the remote fetches of one answer may take together. */
  readonly deadlineMs: number | undefined;
  /** Whether a root field of the mutation type may not be null. */
  isNonNullMutation(fieldName: string): boolean;
}

export const newRun = (
  request: ExecRequest,
  variables: Readonly<JsonObject>,
  deadlineMs: number | undefined,
): PlanRun => ({
  deadline: deadlineMs === undefined ? undefined : performance.now() + deadlineMs,
  data: null,
  errors: [],
  variables,
  request,
  halted: false,
});

/** The response of a run; `failed` when its subgraph had errors and no data at all. */
export type Finish = (run: PlanRun, failed?: boolean) => ExecutionResult;
