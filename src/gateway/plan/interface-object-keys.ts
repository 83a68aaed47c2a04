import { type ConstDirectiveNode, Kind, parse, type SelectionNode } from 'graphql';
import { type Supergraph, supergraphDocument } from '../supergraph.ts';

const argument = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((given) => given.name.value === name)?.value;

/** By interface: the key fields that subgraphs which know it as `@interfaceObject` identify it with. */
export function interfaceObjectKeys(supergraph: Supergraph): Map<string, readonly SelectionNode[]> {
  const found = new Map<string, readonly SelectionNode[]>();
  for (const definition of supergraphDocument(supergraph).definitions) {
    if (definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const directive of definition.directives ?? []) {
      const isInterfaceObject = argument(directive, 'isInterfaceObject');
      const key = argument(directive, 'key');
      if (isInterfaceObject?.kind !== Kind.BOOLEAN || !isInterfaceObject.value || key?.kind !== Kind.STRING) continue;
      const [operation] = parse(`{ ${key.value} }`, { noLocation: true }).definitions;
      if (operation?.kind !== Kind.OPERATION_DEFINITION || found.has(definition.name.value)) continue;
      found.set(definition.name.value, operation.selectionSet.selections);
    }
  }
  return found;
}
