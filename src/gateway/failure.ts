import { GraphQLError } from 'graphql';
import { RollcallError, toRollcallError } from '../errors.ts';

export type ResponsePath = readonly (string | number)[];

/** An error as a subgraph may have sent it: remote subgraphs can send anything. */
export interface SubgraphError {
  readonly message?: unknown;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
  readonly originalError?: Error | null | undefined;
}

/** Where errors come from: in-process subgraphs stay unnamed, so that their errors look the same with and without federation. */
export interface ErrorSource {
  readonly name: string;
  readonly inProcess: boolean;
}

const named = (source: ErrorSource): Record<string, unknown> => (source.inProcess ? {} : { serviceName: source.name });

/** A subgraph's error at its place in the client's response. `originalError` stays, for the host's masking and the log. */
export function relocate(error: SubgraphError, path: ResponsePath | undefined, source: ErrorSource): GraphQLError {
  return new GraphQLError(typeof error.message === 'string' ? error.message : 'The subgraph reported an error.', {
    path: path ?? null,
    extensions: { ...error.extensions, ...named(source) },
    originalError: error.originalError ?? null,
  });
}

/** Errors for which a subgraph gave nothing of an object at all: more was lost than the field that they name. */
const losses = new WeakSet<GraphQLError>();
export function asLoss(error: GraphQLError): GraphQLError {
  losses.add(error);
  return error;
}
export const isLoss = (error: GraphQLError): boolean => losses.has(error);

/** No answer from a subgraph at all, as the error of what was asked of it. */
export function subgraphFailure(thrown: unknown, path: ResponsePath | undefined, source: ErrorSource): GraphQLError {
  const error = thrown instanceof RollcallError || thrown instanceof GraphQLError ? thrown : toRollcallError(thrown);
  const extensions = error instanceof GraphQLError ? error.extensions : { code: error.code, ...error.details };
  return new GraphQLError(error.message, {
    path: path ?? null,
    extensions: { ...extensions, ...named(source) },
    originalError: error,
  });
}
