import { type ConstDirectiveNode, type DocumentNode, Kind, parse } from 'graphql';

/** A supergraph as text, or parsed: parsing a large one takes a while, and much of what is made of it needs that. */
export type Supergraph = string | DocumentNode;

export const supergraphDocument = (supergraph: Supergraph): DocumentNode =>
  typeof supergraph === 'string' ? parse(supergraph, { noLocation: true }) : supergraph;

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
export function subgraphsOf(supergraph: Supergraph): SubgraphEntry[] {
  const found: SubgraphEntry[] = [];
  for (const definition of supergraphDocument(supergraph).definitions) {
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
