import { type DocumentNode, type ExecutionResult, type FieldNode, Kind, type OperationDefinitionNode } from 'graphql';
import type { JsonObject } from './engine.ts';

/**
 * A mutation's root fields as documents of their own, in order: what runs after a non-null root field has failed must
 * not run at all (graphql-jit would go on). Null when there is a single field, or when fragments at the root make the
 * order of fields a matter of types.
 */
export function splitMutation(document: DocumentNode, operationName: string | undefined): DocumentNode[] | null {
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === Kind.OPERATION_DEFINITION &&
      (operationName === undefined || definition.name?.value === operationName),
  );
  if (operation?.operation !== 'mutation') return null;
  const byKey = new Map<string, FieldNode[]>();
  for (const selection of operation.selectionSet.selections) {
    if (selection.kind !== Kind.FIELD) return null;
    const key = selection.alias?.value ?? selection.name.value;
    byKey.set(key, [...(byKey.get(key) ?? []), selection]);
  }
  if (byKey.size < 2) return null;
  const others = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  return [...byKey.values()].map((selections) => ({
    kind: Kind.DOCUMENT,
    definitions: [{ ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections } }, ...others],
  }));
}

/** Runs one after the other; stops where a null has reached the root. */
export async function runSerially(
  documents: readonly DocumentNode[],
  run: (document: DocumentNode) => ExecutionResult | Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const data: JsonObject = {};
  const errors: NonNullable<ExecutionResult['errors']>[number][] = [];
  for (const document of documents) {
    const result = await run(document);
    errors.push(...(result.errors ?? []));
    if (!result.data) return { errors, data: null };
    Object.assign(data, result.data);
  }
  return errors.length > 0 ? { errors, data } : { data };
}
