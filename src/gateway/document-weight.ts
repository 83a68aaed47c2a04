import { type DocumentNode, Kind, type SelectionSetNode } from 'graphql';

/** Measured: what stays of a document with its tokens, and of a field with the code that graphql-jit made and V8 compiled. */
const BYTES_PER_CHARACTER = 60;
const BYTES_PER_FIELD = 1_500;

/**
 * About how many bytes a document takes, together with what is compiled of it. The code of a fragment is made again
 * wherever it is spread: a few lines of text may take many megabytes.
 */
export function weightOf(document: DocumentNode): number {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet);

  const known = new Map<string, number>();
  const fieldsOfFragment = (name: string): number => {
    const count = known.get(name);
    if (count !== undefined) return count;
    // A fragment that spreads itself is not valid; it must not run for ever either.
    known.set(name, 0);
    const selections = fragments.get(name);
    const counted = selections === undefined ? 0 : fieldsOf(selections);
    known.set(name, counted);
    return counted;
  };
  const fieldsOf = ({ selections }: SelectionSetNode): number => {
    let count = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) count += fieldsOfFragment(selection.name.value);
      else {
        if (selection.kind === Kind.FIELD) count += 1;
        if (selection.selectionSet !== undefined) count += fieldsOf(selection.selectionSet);
      }
    }
    return count;
  };

  let fields = 0;
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) fields += fieldsOf(definition.selectionSet);
  return fields * BYTES_PER_FIELD + (document.loc?.end ?? 0) * BYTES_PER_CHARACTER;
}
