import type { JsonObject } from '../engine.ts';

export const isObject = (value: unknown): value is JsonObject => value !== null && typeof value === 'object';

export type Merge = (target: JsonObject, source: JsonObject) => JsonObject;

/**
 * Merges the answer of one fetch into what is there: into `target`, in place, because later fetches find the objects
 * again by identity. Null never replaces a value. A concrete `__typename` is kept: a subgraph with `@interfaceObject`
 * knows only the interface's name. `__proto__` is never followed, whatever a subgraph answers.
 */
export function createMerge(isObjectType: (typeName: string) => boolean): Merge {
  function merge(target: JsonObject, source: JsonObject): JsonObject {
    if (target === source) return target;
    for (const key in source) {
      if (key === '__proto__') continue;
      const next = source[key];
      const present = target[key];
      if (present === undefined || present === null) target[key] = next;
      else if (isObject(next)) {
        if (!isObject(present)) target[key] = next;
        else if (Array.isArray(present) && Array.isArray(next)) mergeLists(present, next);
        else merge(present, next);
      } else if (next !== null && next !== undefined) {
        if (key !== '__typename' || typeof present !== 'string' || !isObjectType(present)) target[key] = next;
      }
    }
    return target;
  }

  function mergeLists(target: unknown[], source: unknown[]): void {
    for (let i = 0; i < source.length; i++) {
      const next = source[i];
      const present = target[i];
      if (present === undefined || present === null) target[i] = next;
      else if (Array.isArray(present) && Array.isArray(next)) mergeLists(present, next);
      else if (isObject(present) && isObject(next)) merge(present, next);
    }
  }

  return merge;
}

/** A copy for the second place of a de-duplicated entity: both places are changed independently by later fetches. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyJson) as T;
  if (!isObject(value)) return value;
  const prototype = Object.getPrototypeOf(value);
  // What a scalar of an in-process subgraph serialised to may be any object: only plain ones are ours to take apart.
  if (prototype !== null && prototype !== Object.prototype) return value;
  const copy: JsonObject = {};
  for (const key in value) if (key !== '__proto__') copy[key] = copyJson(value[key]);
  return copy as T;
}
