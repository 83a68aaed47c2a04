import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  parseType,
  print,
  type TypeNode,
} from 'graphql';

/** A subgraph as composition was given it. */
export interface ComposedSubgraph {
  /** Its value in `join__Graph`. */
  readonly graph: string;
  readonly typeDefs: DocumentNode;
}

/**
 * Puts right what composition 0.27 writes wrongly into a supergraph:
 * - a field that is `@external` in a subgraph's `@interfaceObject` type loses its owners, so that plans would fetch it
 *   from the subgraph that only requires it;
 * - a field that is an object in one subgraph and an abstract type containing it in another becomes the object: the
 *   other's objects would not fit.
 * The text is returned as it is when there is nothing to repair.
 */
export function repairSupergraph(supergraphSdl: string, subgraphs: readonly ComposedSubgraph[]): string {
  const document = parse(supergraphSdl, { noLocation: true });
  const external = externalsOfInterfaceObjects(subgraphs);
  const members = abstractMembers(document);
  let repaired = false;
  const definitions = document.definitions.map((definition): DefinitionNode => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
      return definition;
    }
    const fields = (definition.fields ?? []).map((field) => {
      const owned = withOwners(field, definition.name.value, external, subgraphs);
      const typed = withAbstractType(owned, members);
      if (typed !== field) repaired = true;
      return typed;
    });
    return { ...definition, fields };
  });
  return repaired ? print({ ...document, definitions }) : supergraphSdl;
}

const has = (node: { readonly directives?: readonly ConstDirectiveNode[] | undefined }, name: string): boolean =>
  (node.directives ?? []).some((directive) => directive.name.value.replace(/^federation__/, '') === name);

function fieldsOf(typeDefs: DocumentNode, typeName: string): FieldDefinitionNode[] {
  return typeDefs.definitions.flatMap((definition) =>
    'fields' in definition && 'interfaces' in definition && definition.name.value === typeName
      ? ((definition.fields ?? []) as readonly FieldDefinitionNode[])
      : [],
  );
}

/** `Type.field` → the subgraphs that have it as `@external` in an `@interfaceObject` type. */
function externalsOfInterfaceObjects(subgraphs: readonly ComposedSubgraph[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { graph, typeDefs } of subgraphs) {
    for (const definition of typeDefs.definitions) {
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION || !has(definition, 'interfaceObject')) continue;
      for (const field of definition.fields ?? []) {
        if (!has(field, 'external')) continue;
        const key = `${definition.name.value}.${field.name.value}`;
        found.set(key, (found.get(key) ?? new Set()).add(graph));
      }
    }
  }
  return found;
}

function withOwners(
  field: FieldDefinitionNode,
  typeName: string,
  external: ReadonlyMap<string, ReadonlySet<string>>,
  subgraphs: readonly ComposedSubgraph[],
): FieldDefinitionNode {
  const externals = external.get(`${typeName}.${field.name.value}`);
  if (externals === undefined || has(field, 'join__field')) return field;
  const owners = subgraphs.filter(
    ({ graph, typeDefs }) =>
      !externals.has(graph) && fieldsOf(typeDefs, typeName).some(({ name }) => name.value === field.name.value),
  );
  const added = [
    ...owners.map(({ graph }) => joinField(`graph: ${graph}`)),
    ...[...externals].map((graph) => joinField(`graph: ${graph}, external: true`)),
  ];
  return { ...field, directives: [...(field.directives ?? []), ...added] };
}

function joinField(args: string): ConstDirectiveNode {
  const [definition] = parse(`scalar X @join__field(${args})`, { noLocation: true }).definitions;
  return (definition as { directives?: readonly ConstDirectiveNode[] }).directives![0]!;
}

/** Union → its members, interface → the object types that implement it. */
function abstractMembers(document: DocumentNode): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (abstract: string, object: string) => found.set(abstract, (found.get(abstract) ?? new Set()).add(object));
  for (const definition of document.definitions) {
    if (definition.kind === Kind.UNION_TYPE_DEFINITION) {
      for (const { name } of definition.types ?? []) add(definition.name.value, name.value);
    } else if (definition.kind === Kind.OBJECT_TYPE_DEFINITION) {
      for (const { name } of definition.interfaces ?? []) add(name.value, definition.name.value);
    }
  }
  return found;
}

const nameOf = (type: TypeNode): string => (type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type));

function withAbstractType(field: FieldDefinitionNode, members: ReadonlyMap<string, ReadonlySet<string>>) {
  const merged = nameOf(field.type);
  for (const directive of field.directives ?? []) {
    const type = directive.arguments?.find(({ name }) => name.value === 'type')?.value;
    if (directive.name.value !== 'join__field' || type?.kind !== Kind.STRING) continue;
    const name = nameOf(parseType(type.value));
    if (name !== merged && members.get(name)?.has(merged)) return { ...field, type: renamed(field.type, name) };
  }
  return field;
}

/** The same lists and nulls (composition has merged those rightly) around another name. */
function renamed(type: TypeNode, name: string): TypeNode {
  if (type.kind === Kind.NAMED_TYPE) return { ...type, name: { kind: Kind.NAME, value: name } };
  const inner = renamed(type.type, name);
  return type.kind === Kind.LIST_TYPE ? { ...type, type: inner } : { ...type, type: inner as never };
}
