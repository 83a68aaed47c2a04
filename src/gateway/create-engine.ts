import type { DocumentNode, GraphQLSchema } from 'graphql';
import { RollcallError } from '../errors.ts';
import { buildApiSchema } from './api-schema.ts';
import type { Engine, ExecutorFactory } from './engine.ts';
import { startPlanner } from './planner/process.ts';
import { createPlannerEngine } from './planner-engine.ts';
import { canRunAlone, createSingleEngine } from './single-engine.ts';
import { subgraphsOf, supergraphDocument } from './supergraph.ts';

export interface EngineOptions {
  readonly supergraphSdl: string;
  readonly executors: ExecutorFactory;
  /** How many operations stay planned and compiled; 1,000 when left out. */
  readonly capacity?: number;
  /** Milliseconds that the remote fetches of one answer may take together; without it, only each subgraph's own time counts. */
  readonly deadlineMs?: number | undefined;
  /** Plan even where a single in-process subgraph could answer directly. For tests and measurements. */
  readonly alwaysPlan?: boolean;
}

/**
 * Builds the engine of a supergraph. `FAILED_PRECONDITION` where the planner has no build for this platform,
 * `INVALID_INPUT` for a supergraph that it cannot read.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { supergraphSdl } = options;
  const capacity = options.capacity ?? 1_000;
  const { document, schema } = read(supergraphSdl);
  const entries = subgraphsOf(document).map(({ enumValue, name, url }) => {
    const executor = options.executors(name, url);
    return { enumValue, name, executor, source: { name, inProcess: executor.inProcess } };
  });
  const [only, second] = entries;
  if (only === undefined) {
    throw new RollcallError('INVALID_INPUT', 'SUPERGRAPH: names no subgraphs (it has no join__Graph enum).', {
      field: 'SUPERGRAPH',
    });
  }
  if (
    only.executor.inProcess &&
    second === undefined &&
    options.alwaysPlan !== true &&
    canRunAlone(supergraphSdl, schema)
  ) {
    return createSingleEngine({ supergraphSdl, schema, executor: only.executor, capacity });
  }
  const subgraphs = new Map(
    entries.flatMap((entry) => [[entry.enumValue, entry] as const, [entry.name, entry] as const]),
  );
  const planner = await startPlanner(supergraphSdl);
  return createPlannerEngine({
    supergraphSdl,
    document,
    schema,
    planner,
    subgraphs,
    capacity,
    deadlineMs: options.deadlineMs,
  });
}

function read(supergraphSdl: string): { readonly document: DocumentNode; readonly schema: GraphQLSchema } {
  try {
    const document = supergraphDocument(supergraphSdl);
    return { document, schema: buildApiSchema(document) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RollcallError('INVALID_INPUT', `SUPERGRAPH: not a supergraph: ${reason}`, { field: 'SUPERGRAPH', cause });
  }
}
