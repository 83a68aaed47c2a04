import { composeSupergraph, type SubgraphDefinition } from '../../../src/gateway/compose.ts';

/** Composes, and fails with the composition's own words. */
export function composed(subgraphs: readonly SubgraphDefinition[]): string {
  const { supergraphSdl, errors } = composeSupergraph(subgraphs);
  if (supergraphSdl === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}
