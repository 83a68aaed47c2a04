import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import { createSubgraph, type ReferenceResolver, type Subgraph } from '../../../src/gateway/subgraph-schema.ts';

export type Resolvers = Record<string, Record<string, GraphQLFieldResolver<never, never>>>;

/** An executable schema from SDL: `resolvers` may hold more than the SDL defines, so that several schemas share one map. */
export function executable(sdl: string, resolvers: Resolvers): GraphQLSchema {
  const schema = buildSchema(sdl, { assumeValid: true, assumeValidSDL: true });
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const own = resolvers[type.name]?.[field.name];
      if (own !== undefined) field.resolve = own as GraphQLFieldResolver<unknown, unknown>;
    }
  }
  return schema;
}

export const executableSubgraph = <C>(
  sdl: string,
  resolvers: Resolvers,
  references: Record<string, ReferenceResolver<C>>,
): Subgraph => createSubgraph<C>(executable(sdl, resolvers), { references });
