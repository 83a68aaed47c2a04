import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

type Count = (definition: OperationDefinitionNode | FragmentDefinitionNode) => number;

const counts = new WeakMap<DocumentNode, Count>();

/**
 * How many fields an operation of the document has once fragments are spread. Every definition is counted once, so that
 * fragments that multiply one another cost no more to count than to write; and only for the document's first request.
 */
export function fieldsOf(document: DocumentNode, operation: OperationDefinitionNode): number {
  let count = counts.get(document);
  if (count === undefined) {
    count = countOf(document);
    counts.set(document, count);
  }
  return count(operation);
}

function countOf(document: DocumentNode): Count {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  const known = new Map<OperationDefinitionNode | FragmentDefinitionNode, number>();
  const ofDefinition: Count = (definition) => {
    const count = known.get(definition);
    if (count !== undefined) return count;
    // A fragment that spreads itself is not valid; it must not run for ever either.
    known.set(definition, 0);
    const counted = ofSelections(definition.selectionSet);
    known.set(definition, counted);
    return counted;
  };
  const ofSelections = ({ selections }: SelectionSetNode): number => {
    let count = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) count += ofDefinition(fragment);
      } else {
        if (selection.kind === Kind.FIELD) count += 1;
        if (selection.selectionSet !== undefined) count += ofSelections(selection.selectionSet);
      }
    }
    return count;
  };
  return ofDefinition;
}
