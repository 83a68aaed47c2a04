import { GraphQLScalarType, valueFromASTUntyped } from 'graphql';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Whether a text is a moment as RFC 3339 writes it. */
export const isInstant = (value: unknown): value is string =>
  typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value));

const readDateTime = (value: unknown): unknown => (isInstant(value) ? new Date(value) : value);

/**
 * A moment, RFC 3339: out in UTC with milliseconds, in with any offset. What is no moment passes as it is, and is refused
 * by {@link refuseWrongMoments}: of a value that a scalar refuses, graphql-js says nothing but the whole argument, as an
 * error of ours, and graphql-jit names a field of a variable as if it were the variable.
 */
export const DateTime = new GraphQLScalarType<unknown, string>({
  name: 'DateTime',
  description: 'A moment as RFC 3339 has it, such as 2026-01-31T10:20:30.000Z. Answers are in UTC with milliseconds.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
  parseValue: readDateTime,
  parseLiteral: (node, variables) => readDateTime(valueFromASTUntyped(node, variables)),
});

/** Any JSON value. */
export const Json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value, as it is.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
