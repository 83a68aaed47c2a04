import { type ConstDirectiveNode, Kind, parse } from 'graphql';

/** A subgraph as the supergraph knows it. Plans may name it by the enum value or by the name: match both. */
export interface SubgraphEntry {
  readonly enumValue: string;
  readonly name: string;
  readonly url: string;
}

const stringArgument = (directive: ConstDirectiveNode | undefined, name: string): string | undefined => {
  const value = directive?.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
};

/** The subgraphs that a supergraph was composed of: the values of its `join__Graph` enum (join specification). */
export function subgraphsOf(supergraphSdl: string): SubgraphEntry[] {
  const found: SubgraphEntry[] = [];
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const graph = value.directives?.find((directive) => directive.name.value === 'join__graph');
      const enumValue = value.name.value;
      found.push({
        enumValue,
        name: stringArgument(graph, 'name') ?? enumValue,
        url: stringArgument(graph, 'url') ?? '',
      });
    }
  }
  return found;
}
