import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

export type Path = readonly (string | number)[];

/** One place where two answers differ: the outermost that does not hold two objects, or two lists of one length. */
export interface Difference {
  readonly path: Path;
  readonly theirs: unknown;
  readonly ours: unknown;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object';

export const at = (data: unknown, path: Path): unknown =>
  path.reduce((value: unknown, key) => (isObject(value) ? value[key] : undefined), data);

/** Every place where two values differ. The order of keys does not count. */
export function differences(theirs: unknown, ours: unknown, path: Path = []): Difference[] {
  if (theirs === ours) return [];
  if (!isObject(theirs) || !isObject(ours)) return [{ path, theirs, ours }];
  const areLists = Array.isArray(ours);
  if (Array.isArray(theirs) !== areLists || (areLists && theirs.length !== ours.length))
    return [{ path, theirs, ours }];
  const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  return [...keys].flatMap((key) => differences(theirs[key], ours[key], [...path, areLists ? Number(key) : key]));
}

/** The names of the fields on the way to a place of the answer, without list indexes. */
export function fieldsAlong(document: DocumentNode, path: Path): string[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let sets: SelectionSetNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) sets = [definition.selectionSet];
  }
  const fieldsOf = (set: SelectionSetNode): { key: string; name: string; inner: SelectionSetNode | undefined }[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(selection.selectionSet);
      if (selection.kind === Kind.FRAGMENT_SPREAD) return fieldsOf(fragments.get(selection.name.value)!.selectionSet);
      const { name, alias, selectionSet: inner } = selection;
      return [{ key: (alias ?? name).value, name: name.value, inner }];
    });
  const names: string[] = [];
  for (const key of path) {
    if (typeof key === 'number') continue;
    const found = sets.flatMap(fieldsOf).filter((field) => field.key === key);
    names.push(found[0]?.name ?? '');
    sets = found.flatMap(({ inner }) => inner ?? []);
  }
  return names;
}
