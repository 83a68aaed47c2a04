import { buildSchema } from 'graphql';
import { AGENTS_SDL, page } from '../gateway/world.ts';

/** The agents' subgraph as a schema of this package's own graphql, with the data of the benchmark. */
export function agentsSchema() {
  const schema = buildSchema(AGENTS_SDL, { assumeValid: true, assumeValidSDL: true });
  schema.getQueryType().getFields().agents.resolve = (_source, { first, from }) => page(first, from);
  return schema;
}
