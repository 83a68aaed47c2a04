import { type DocumentNode, Kind } from 'graphql';
import { fieldsOf } from './field-count.ts';

/** Measured: what stays of a document with its tokens, and of a field with the code that graphql-jit made and V8 compiled. */
const BYTES_PER_CHARACTER = 60;
const BYTES_PER_FIELD = 1_500;

/**
 * About how many bytes a document takes, together with what is compiled of it. The code of a fragment is made again
 * wherever it is spread: a few lines of text may take many megabytes.
 */
export function weightOf(document: DocumentNode): number {
  let fields = 0;
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) fields += fieldsOf(document, definition);
  return fields * BYTES_PER_FIELD + (document.loc?.end ?? 0) * BYTES_PER_CHARACTER;
}
