import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { LOST_INPUT } from '../../../src/gateway/plan/entity-batch.ts';

type Path = readonly (string | number)[];
type Told = readonly { message: string; path?: GraphQLFormattedError['path'] | undefined }[];

/** Down to the first null on the way: errors below one null may be told of different fields (GraphQL §6.4.4). */
function visible(path: Path, data: unknown): Path {
  let value = data;
  for (let i = 0; i < path.length; i++) {
    if (value === null || typeof value !== 'object') return path.slice(0, i);
    value = (value as Record<string | number, unknown>)[path[i]!];
  }
  return path;
}

const startsWith = (path: Path, start: Path): boolean => start.every((key, i) => path[i] === key);
const related = (a: Path, b: Path): boolean => startsWith(a, b) || startsWith(b, a);
const errorsOf = (result: ExecutionResult): Told => (result.errors ?? []) as Told;
const pathsOf = (result: ExecutionResult): Path[] =>
  errorsOf(result).map((error) => visible(error.path ?? [], result.data));

/** What two results disagree about; empty when they agree. Data must be the same text, so the order of keys counts. */
export interface Comparison {
  readonly found: readonly string[];
  /** How many values were lost with another field of the same fetch: see {@link lostTogether}. */
  readonly lostTogether: number;
}

export function compare(ours: ExecutionResult, expected: ExecutionResult): Comparison {
  const { lost, causes } = lostTogether(ours, expected);
  const found: string[] = [];
  const [a, b] = [JSON.stringify(ours.data), JSON.stringify(without(lost, expected.data))];
  if (a !== b) found.push(`data: ${a}\n  instead of ${b}`);
  const [ourPaths, expectedPaths] = [pathsOf(ours), pathsOf(expected)];
  for (const path of expectedPaths) {
    if (!ourPaths.some((own) => related(own, path))) found.push(`no error at ${JSON.stringify(path)}`);
  }
  for (const path of ourPaths) {
    const isKnown =
      expectedPaths.some((other) => related(other, path)) || [...lost, ...causes].some((place) => related(place, path));
    if (!isKnown) found.push(`unexpected error at ${JSON.stringify(path)}`);
  }
  return { found, lostTogether: lost.length };
}

/**
 * The one difference that federation makes unavoidable. A gateway fetches what `@requires` names together with what
 * the client asks of the same entity. When a non-null field of that fetch has no value, the subgraph answers null for
 * the entity, so all of the fetch is lost, where a single schema resolves each part on its own. That is:
 *
 * 1. the client's field was the one that failed: the input of the requiring field went with it. It is null, with the
 *    error that says so, where the single schema has an error deeper inside another field of the same object;
 * 2. the input was the one that failed: the requiring field fails in both, and the client's other fields of that
 *    entity went with it. They are null below another field of the object that holds the requiring one, and an error
 *    is told at the object that lost them.
 *
 * The error of the failed input itself is told at the object that was fetched for it, even where the client asked
 * nothing of that object that was lost: the cause of the requiring field's error. Nothing else may differ.
 */
function lostTogether(ours: ExecutionResult, expected: ExecutionResult): { lost: Path[]; causes: Path[] } {
  const lost: Path[] = [];
  const causes: Path[] = [];
  for (const { message, path } of errorsOf(ours)) {
    if (message !== LOST_INPUT || path === undefined || at(ours.data, path) !== null) continue;
    const holder = path.slice(0, -1);
    const isInside = (other: Path) =>
      startsWith(other, holder) && other.length > path.length && other[holder.length] !== path.at(-1);
    if (at(expected.data, path) !== null) {
      if (errorsOf(expected).some((error) => isInside(error.path ?? []))) lost.push(path);
      continue;
    }
    if (!errorsOf(expected).some((error) => String(error.path) === String(path))) continue;
    for (const { path: cause = [] } of errorsOf(ours)) {
      const isObject = typeof at(ours.data, cause) === 'object' && at(ours.data, cause) !== null;
      if (cause.length > holder.length && startsWith(cause, holder) && isObject) causes.push(cause);
    }
    for (const place of nullsOf(ours.data, expected.data, [])) {
      const isTold = errorsOf(ours).some((error) => isToldOf(error.path ?? [], place));
      if (isInside(place) && isTold) lost.push(place);
    }
  }
  return { lost, causes };

  /** At the object that holds it, or at one of that object's own fields. */
  function isToldOf(error: Path, place: Path): boolean {
    const entity = place.slice(0, -1);
    return startsWith(error, entity) && error.length <= entity.length + 1;
  }
}

function at(data: unknown, path: Path): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string | number, unknown> | null)?.[key], data);
}

/** Where the first is null and the second is not. */
function nullsOf(ours: unknown, expected: unknown, path: Path): Path[] {
  if (expected === null || expected === undefined) return [];
  if (ours === null) return [path];
  if (typeof ours !== 'object' || typeof expected !== 'object') return [];
  return Object.keys(ours).flatMap((key) =>
    nullsOf((ours as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key], [
      ...path,
      Array.isArray(ours) ? Number(key) : key,
    ]),
  );
}

function without(paths: readonly Path[], data: unknown): unknown {
  if (paths.length === 0) return data;
  const copy = JSON.parse(JSON.stringify(data));
  for (const path of paths) (at(copy, path.slice(0, -1)) as Record<string | number, unknown>)[path.at(-1)!] = null;
  return copy;
}
