import { type FieldNode, GraphQLError, Kind, type SelectionSetNode } from 'graphql';
import { isLoss } from '../failure.ts';
import type { SelectedOperation } from '../operation.ts';
import { toClientPath } from '../plan/client-keys.ts';
import { isObject } from '../plan/merge.ts';

type Path = readonly (string | number)[];

/** A null that a reported error accounts for: the error lies above or below it, or at no particular place. */
export function isExplained(violation: GraphQLError, errors: readonly GraphQLError[]): boolean {
  const path = violation.path ?? [];
  return errors.some((error) => error.path === undefined || startsAlike(error.path, path));
}

function startsAlike(a: Path, b: Path): boolean {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return false;
  return true;
}

export interface AskedFor extends SelectedOperation {
  /** The key under which subgraphs answer a field. */
  sourceKey(field: FieldNode): string;
}

/** Whether the operation asks for the field at this path of source keys, of objects of any type and under any condition. */
function asksFor({ operation, fragments, sourceKey }: AskedFor, path: Path): boolean {
  let level: SelectionSetNode[] = [operation.selectionSet];
  for (const key of path) {
    if (typeof key === 'number') continue;
    const next: SelectionSetNode[] = [];
    let found = false;
    const seen = new Set<SelectionSetNode>();
    const visit = (selectionSet: SelectionSetNode | undefined): void => {
      if (selectionSet === undefined || seen.has(selectionSet)) return;
      seen.add(selectionSet);
      for (const selection of selectionSet.selections) {
        if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet);
        else if (selection.kind === Kind.FRAGMENT_SPREAD) visit(fragments[selection.name.value]?.selectionSet);
        else if (sourceKey(selection) === key) {
          found = true;
          if (selection.selectionSet) next.push(selection.selectionSet);
        }
      }
    };
    for (const selectionSet of level) visit(selectionSet);
    if (!found) return false;
    level = next;
  }
  return true;
}

/**
 * The error as the client may see it: with a path of the client's keys that leads somewhere in the response. One about
 * a field that only the plan asked for (a key, or what `@requires` names) is moved up to the object that the client did
 * ask for. One about a field that the client asks for, but not of this object, is dropped (null): plans may fetch more
 * than conditions and types allow. Unless the object lost everything else of that subgraph with it.
 */
export function withinResponse(error: GraphQLError, data: unknown, asked: AskedFor): GraphQLError | null {
  let value = data;
  const path = error.path ?? [];
  for (let i = 0; i < path.length; i++) {
    // Below a null the response has nothing to compare with.
    if (!isObject(value)) break;
    const key = typeof path[i] === 'string' ? toClientPath([path[i]!])[0]! : path[i]!;
    const isAsked = asksFor(asked, path.slice(0, i + 1));
    const isThere = Object.hasOwn(value, key);
    if (!isAsked) return at(error, path.slice(0, i));
    if (!isThere) return isLoss(error) ? at(error, path.slice(0, i)) : null;
    value = (value as Record<string | number, unknown>)[key];
  }
  return at(error, path);
}

function at(error: GraphQLError, path: Path): GraphQLError {
  const { message, extensions, originalError } = error;
  const client = error.path === undefined ? null : toClientPath(path);
  return new GraphQLError(message, { path: client, extensions, originalError: originalError ?? null });
}
