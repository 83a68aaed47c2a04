import { type ExecutionResult, GraphQLError } from 'graphql';
import { RollcallError } from '../../errors.ts';
import type { JsonObject } from '../engine.ts';
import { copyJson } from '../plan/merge.ts';

const isRecord = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** `UPSTREAM_INVALID` with the subgraph's name. What was answered instead is never repeated: it may hold secrets. */
export const invalidAnswer = (subgraph: string, what: string, cause?: unknown): RollcallError =>
  new RollcallError('UPSTREAM_INVALID', `Subgraph "${subgraph}" ${what}.`, { cause });

/** A subgraph's answer as a GraphQL response (GraphQL §7.1), or `UPSTREAM_INVALID`: nothing in it is taken on trust. */
export function readResponse(value: unknown, subgraph: string): ExecutionResult {
  if (!isRecord(value)) throw invalidAnswer(subgraph, 'answered something that is not a GraphQL response');
  const { data, errors } = value;
  const dataFits = data === undefined || data === null || isRecord(data);
  const errorsFit = errors === undefined || errors === null || Array.isArray(errors);
  if (!dataFits || !errorsFit || (data === undefined && !Array.isArray(errors))) {
    throw invalidAnswer(subgraph, 'answered something that is not a GraphQL response');
  }
  const result: { data?: JsonObject | null; errors?: GraphQLError[] } = {};
  if (data !== undefined) result.data = data as JsonObject | null;
  if (Array.isArray(errors) && errors.length > 0) result.errors = errors.map(readError);
  return result;
}

/** For a further reader: the data is changed in place by whoever has it. */
export const copyResult = ({ data, errors }: ExecutionResult): ExecutionResult => ({
  ...(data === undefined ? {} : { data: copyJson(data) }),
  ...(errors === undefined ? {} : { errors }),
});

function readError(error: unknown): GraphQLError {
  if (!isRecord(error)) return new GraphQLError('The subgraph reported an error.');
  const path = Array.isArray(error.path) && error.path.every(isPathKey) ? error.path : null;
  return new GraphQLError(typeof error.message === 'string' ? error.message : 'The subgraph reported an error.', {
    path,
    extensions: isRecord(error.extensions) ? error.extensions : null,
  });
}

const isPathKey = (key: unknown): key is string | number => typeof key === 'string' || typeof key === 'number';
