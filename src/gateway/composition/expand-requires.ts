import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/**
 * Composition 0.27 cannot satisfy a `@requires` whose fragments name an interface: it looks for the interface among the
 * object types that may stand there. So before composing, a fragment on an interface becomes one fragment for each
 * object type of the subgraph that implements it, which asks for the same.
 */
export function expandRequires(typeDefs: DocumentNode): DocumentNode {
  const implementations = implementationsIn(typeDefs);
  if (implementations.size === 0) return typeDefs;
  return visit(typeDefs, {
    FieldDefinition: (field): FieldDefinitionNode | undefined => {
      if (!field.directives?.some(isRequires)) return undefined;
      const directives = field.directives.map((directive) =>
        isRequires(directive) ? expandDirective(directive, implementations) : directive,
      );
      return { ...field, directives };
    },
  });
}

const isRequires = (directive: ConstDirectiveNode): boolean =>
  directive.name.value === 'requires' || directive.name.value === 'federation__requires';

type Implementations = ReadonlyMap<string, readonly string[]>;

function implementationsIn(typeDefs: DocumentNode): Implementations {
  const found = new Map<string, string[]>();
  for (const definition of typeDefs.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
    for (const { name } of definition.interfaces ?? []) {
      const known = found.get(name.value) ?? [];
      found.set(name.value, [...new Set([...known, definition.name.value])]);
    }
  }
  return found;
}

function expandDirective(directive: ConstDirectiveNode, implementations: Implementations): ConstDirectiveNode {
  const fields = directive.arguments?.find(({ name }) => name.value === 'fields');
  if (fields?.value.kind !== Kind.STRING) return directive;
  const [operation] = parse(`{ ${fields.value.value} }`, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return directive;
  const expanded = print(expandSelections(operation.selectionSet, implementations)).slice(1, -1).replace(/\s+/g, ' ');
  return { ...directive, arguments: [{ ...fields, value: { kind: Kind.STRING, value: expanded.trim() } }] };
}

function expandSelections(node: SelectionSetNode, implementations: Implementations): SelectionSetNode {
  const selections = node.selections.flatMap((selection): SelectionNode[] => {
    if (selection.kind === Kind.FRAGMENT_SPREAD || selection.selectionSet === undefined) return [selection];
    const inner = { ...selection, selectionSet: expandSelections(selection.selectionSet, implementations) };
    if (inner.kind !== Kind.INLINE_FRAGMENT) return [inner];
    const objects = implementations.get(inner.typeCondition?.name.value ?? '');
    if (objects === undefined) return [inner];
    return objects.map((name) => ({
      ...inner,
      typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: name } },
    }));
  });
  return { ...node, selections };
}
