import {
  GraphQLError,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { GraphQLContext } from './context.ts';
import { DateTime, isInstant } from './scalars.ts';

/** graphql-jit gives a literal as the text that the scalar made of it. */
const isMoment = (value: unknown): boolean =>
  value instanceof Date ? !Number.isNaN(value.getTime()) : isInstant(value);

/** The path of the first value where a moment belongs and none is. */
function wrongMoment(type: GraphQLInputType, value: unknown, path: string): string | undefined {
  if (value == null) return undefined;
  if (isNonNullType(type)) return wrongMoment(type.ofType, value, path);
  if (isListType(type)) {
    return firstOf(value as unknown[], (item, i) => wrongMoment(type.ofType, item, `${path}[${i}]`));
  }
  if (type === DateTime) return isMoment(value) ? undefined : path;
  if (!isInputObjectType(type)) return undefined;
  const members = value as Readonly<Record<string, unknown>>;
  return firstOf(Object.values(type.getFields()), (field) =>
    wrongMoment(field.type, members[field.name], `${path}.${field.name}`),
  );
}

function firstOf<T>(all: readonly T[], find: (one: T, index: number) => string | undefined): string | undefined {
  for (const [i, one] of all.entries()) {
    const found = find(one, i);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a moment may stand somewhere in a value of this type. */
function holdsMoments(type: GraphQLInputType, seen = new Set<unknown>()): boolean {
  const named = getNamedType(type);
  if (named === DateTime) return true;
  if (!isInputObjectType(named) || seen.has(named)) return false;
  seen.add(named);
  return Object.values(named.getFields()).some((field) => holdsMoments(field.type, seen));
}

/** Makes every field refuse what is no moment, by the name that the caller knows, before it does anything. */
export function refuseWrongMoments(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.args.some((arg) => holdsMoments(arg.type))) guard(field);
    }
  }
}

function guard(field: GraphQLField<unknown, GraphQLContext>): void {
  const { resolve, subscribe, args: known } = field;
  const check = (args: Readonly<Record<string, unknown>>): void => {
    const wrong = firstOf(known, (arg) => wrongMoment(arg.type, args[arg.name], arg.name));
    if (wrong === undefined) return;
    throw new GraphQLError(`${wrong}: must be a date and time such as "2026-01-31T10:20:30Z"`, {
      extensions: { code: 'BAD_USER_INPUT', field: wrong },
    });
  };
  if (subscribe !== undefined) {
    field.subscribe = (source, args, context, info) => {
      check(args);
      return subscribe(source, args, context, info);
    };
  } else if (resolve !== undefined) {
    field.resolve = (source, args, context, info) => {
      check(args);
      return resolve(source, args, context, info);
    };
  }
}
