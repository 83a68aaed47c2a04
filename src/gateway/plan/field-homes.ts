import { type ConstDirectiveNode, Kind } from 'graphql';
import { type Supergraph, supergraphDocument } from '../supergraph.ts';

/** Tells by type and field the subgraphs that resolve it, as one text; empty where all that have the type do. */
export type FieldHomes = (typeName: string, fieldName: string) => string;

/** Reads every `@join__field` of a supergraph. */
export function fieldHomes(supergraph: Supergraph): FieldHomes {
  const homes = new Map<string, string>();
  for (const definition of supergraphDocument(supergraph).definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const { name, directives = [] } of definition.fields ?? []) {
      const graphs = directives.flatMap(graphOf).sort();
      if (graphs.length > 0) homes.set(`${definition.name.value}.${name.value}`, graphs.join(' '));
    }
  }
  return (typeName, fieldName) => homes.get(`${typeName}.${fieldName}`) ?? '';
}

function graphOf({ name, arguments: given = [] }: ConstDirectiveNode): string[] {
  if (name.value !== 'join__field') return [];
  const value = (argument: string) => given.find((one) => one.name.value === argument)?.value;
  const [graph, external] = [value('graph'), value('external')];
  const resolves = !(external?.kind === Kind.BOOLEAN && external.value);
  return graph?.kind === Kind.ENUM && resolves ? [graph.value] : [];
}
