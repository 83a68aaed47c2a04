import type { FlattenNodePathSegment } from '@graphql-hive/router-query-planner';
import type { JsonObject } from '../engine.ts';
import { isObject } from './merge.ts';
import type { TypeIndex } from './type-index.ts';

/** `path` is the walker's own, changing array (or undefined when not asked for): copy what you keep. */
export type Visit = (entity: JsonObject, path: readonly (string | number)[] | undefined) => void;

/** Visits every object at a plan's path. Give a `path` array only for error positions: keeping it up costs time. */
export type Walk = (value: unknown, path: (string | number)[] | undefined, visit: Visit) => void;

/** Compiles a flatten path. Lists are descended into wherever they occur, so that `@` and nested lists both work. */
export function compileWalk(segments: readonly FlattenNodePathSegment[], types: TypeIndex): Walk {
  let walk: Walk = atEnd;
  for (let i = segments.length - 1; i >= 0; i--) walk = step(segments[i]!, walk, types);
  return walk;
}

const atEnd: Walk = (value, path, visit) => {
  if (Array.isArray(value)) each(value, path, visit, atEnd);
  else if (isObject(value)) visit(value, path);
};

function step(segment: FlattenNodePathSegment, next: Walk, types: TypeIndex): Walk {
  if (segment === '@') {
    return (value, path, visit) => {
      if (Array.isArray(value)) each(value, path, visit, next);
    };
  }
  if ('Field' in segment) {
    const key = segment.Field;
    const walk: Walk = (value, path, visit) => {
      if (Array.isArray(value)) each(value, path, visit, walk);
      else if (isObject(value)) {
        path?.push(key);
        next(value[key], path, visit);
        path?.pop();
      }
    };
    return walk;
  }
  const conditions = segment.TypeCondition;
  const walk: Walk = (value, path, visit) => {
    if (Array.isArray(value)) each(value, path, visit, walk);
    else if (isObject(value)) {
      const typeName = value.__typename;
      if (typeof typeName !== 'string' || conditions.some((condition) => types.satisfies(typeName, condition))) {
        next(value, path, visit);
      }
    }
  };
  return walk;
}

function each(list: unknown[], path: (string | number)[] | undefined, visit: Visit, next: Walk): void {
  for (let i = 0; i < list.length; i++) {
    if (list[i] === null || list[i] === undefined) continue;
    path?.push(i);
    next(list[i], path, visit);
    path?.pop();
  }
}

/** The path without indexes: where an error goes that belongs to all entities of a fetch. */
export const fieldsOf = (segments: readonly FlattenNodePathSegment[]): string[] =>
  segments.flatMap((segment) => (segment !== '@' && 'Field' in segment ? [segment.Field] : []));
