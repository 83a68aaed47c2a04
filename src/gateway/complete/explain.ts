import { GraphQLError, Kind, type SelectionSetNode } from 'graphql';
import type { SelectedOperation } from '../operation.ts';
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

/** Whether the operation asks for the field at this response path, of objects of any type and under any condition. */
export function asksFor({ operation, fragments }: SelectedOperation, path: Path): boolean {
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
        else if ((selection.alias ?? selection.name).value === key) {
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
 * The error, with a path that leads somewhere in the response. One about a field that only the plan asked for (a key,
 * or what `@requires` names) is moved up to the object that the client did ask for. One about a field that the client
 * asks for elsewhere, but not of this object, is dropped (null): plans may fetch more than conditions and types allow.
 */
export function withinResponse(error: GraphQLError, data: unknown, selected: SelectedOperation): GraphQLError | null {
  let value = data;
  const path = error.path ?? [];
  for (let i = 0; i < path.length; i++) {
    // Below a null the response has nothing to compare with.
    if (!isObject(value)) return error;
    const key = path[i]!;
    if (!Object.hasOwn(value, key)) {
      if (asksFor(selected, path.slice(0, i + 1))) return null;
      const { message, extensions, originalError } = error;
      return new GraphQLError(message, { path: path.slice(0, i), extensions, originalError: originalError ?? null });
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return error;
}
