import { GraphQLError } from 'graphql';
import type { ExecResult } from '../engine.ts';

/**
 * A result without data was refused before it ran (GraphQL §7.1.2): its variables do not fit. Apollo's code for it.
 * graphql-jit's errors have no `extensions` at all.
 */
export function withRequestErrorCode(result: ExecResult): ExecResult {
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
