import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { toRollcallError } from '../../errors.ts';

const isOurs = (error: Error): boolean => error.name === 'RollcallError';

/** graphql-js has a class for its errors, graphql-jit another one: the name is what they share. */
const isGraphQLError = (error: unknown): boolean =>
  error instanceof GraphQLError || (error instanceof Error && error.name === 'GraphQLError');

/** The error that a resolver threw, under the GraphQL errors that wrap it; undefined when GraphQL itself made it. */
function originOf(error: unknown): Error | undefined {
  let e: unknown = error;
  for (let depth = 0; isGraphQLError(e) && depth < 10; depth++) e = (e as { originalError?: unknown }).originalError;
  return e instanceof Error ? e : undefined;
}

/**
 * An error as callers may see it. What we threw on purpose stays; so do GraphQL's own errors (syntax, validation,
 * coercion) and those that a subgraph answered. Anything else is a fault: it is logged, and the caller gets INTERNAL, or
 * DATABASE_UNAVAILABLE, without its text.
 */
export function maskError(formatted: GraphQLFormattedError, error: unknown, log: Logger): GraphQLFormattedError {
  const { stacktrace: _dropped, ...extensions } = formatted.extensions ?? {};
  const origin = originOf(error);
  if (origin === undefined || isOurs(origin)) return { ...formatted, extensions };
  const masked = toRollcallError(origin);
  if (masked.code === 'INTERNAL' || masked.code === 'DATABASE_UNAVAILABLE')
    log.error({ err: origin, path: formatted.path }, 'a resolver failed');
  return { ...formatted, message: masked.message, extensions: masked.extensions };
}

/** As {@link maskError}, for hosts that send errors as the engine gives them. */
export const maskErrors = (errors: readonly GraphQLError[], log: Logger): GraphQLFormattedError[] =>
  errors.map((error) =>
    maskError(error instanceof GraphQLError ? error.toJSON() : new GraphQLError(String(error)).toJSON(), error, log),
  );
