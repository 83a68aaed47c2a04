import { defaultFieldResolver, type GraphQLSchema, graphql, isObjectType, printSchema } from 'graphql';
import { composeSupergraph } from '../../../src/gateway/compose.ts';
import { createEngine } from '../../../src/gateway/create-engine.ts';
import type { Engine, ExecutorFactory } from '../../../src/gateway/engine.ts';
import { localExecutor } from '../../../src/gateway/local.ts';
import type { Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { executable } from './executable.ts';
import { resolvers, type WorldContext } from './world.ts';

/** Composes, and fails with the composition's own words. */
export function compose(subgraphs: Record<string, Subgraph>): string {
  const definitions = Object.entries(subgraphs).map(([name, { sdl }]) => ({ name, url: `http://${name}.test/`, sdl }));
  const { supergraphSdl, errors } = composeSupergraph(definitions);
  if (supergraphSdl === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

/** An engine with every subgraph in-process. `interpretFirst` 0 compiles by graphql-jit at once, Infinity never. */
export const localEngine = (
  subgraphs: Record<string, Subgraph>,
  options: { interpretFirst?: number; alwaysPlan?: boolean } = {},
): Promise<Engine> => {
  const executors: ExecutorFactory = (name) =>
    localExecutor(subgraphs[name]!.schema, { interpretFirst: options.interpretFirst ?? 0 });
  return createEngine({ supergraphSdl: compose(subgraphs), executors, alwaysPlan: options.alwaysPlan ?? false });
};

/**
 * The same graph as one schema, executed by graphql-js: what a gateway has to agree with. Every resolver is
 * asynchronous, because graphql-js leaves rejections unhandled where one list fails both at once and later.
 */
export function monolith(apiSchema: GraphQLSchema): GraphQLSchema {
  const schema = executable(printSchema(apiSchema), resolvers);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = async (...all) => resolve(...all);
    }
  }
  return schema;
}

export const runMonolith = (
  schema: GraphQLSchema,
  source: string,
  variableValues: Record<string, unknown>,
  contextValue: WorldContext,
) => graphql({ schema, source, variableValues, contextValue });
