import { buildASTSchema, type DocumentNode, type GraphQLSchema } from 'graphql';
import { RollcallError } from '../errors.ts';
import type { TraceSpan } from '../telemetry.ts';
import { authorizing } from './authorize/authorized.ts';
import { readRequirements } from './authorize/requirements.ts';
import { DocumentCache } from './document-cache.ts';
import type { Engine, ExecRequest, SubgraphExecutor } from './engine.ts';
import type { ErrorSource } from './failure.ts';
import { selectOperation } from './operation.ts';
import { ClientKeys } from './plan/client-keys.ts';
import { PlannerDocuments } from './plan/planner-document.ts';
import { requirementsOf } from './plan/required-inputs.ts';
import { TypeIndex } from './plan/type-index.ts';
import type { Planner } from './planner/process.ts';
import { createPreparer, type Run } from './prepare-operation.ts';

export interface PlannerEngineOptions {
  readonly supergraphSdl: string;
  /** The same, parsed. */
  readonly document: DocumentNode;
  readonly schema: GraphQLSchema;
  readonly planner: Planner;
  /** By subgraph name and by `join__Graph` value. */
  readonly subgraphs: ReadonlyMap<string, { readonly source: ErrorSource; readonly executor: SubgraphExecutor }>;
  /** How many operations stay planned. */
  readonly capacity: number;
  /** Milliseconds that the remote fetches of one answer may take together. */
  readonly deadlineMs: number | undefined;
}

type Named = Pick<ExecRequest, 'document' | 'operationName' | 'trace'>;

/** Planning happens once for an operation: the trace of whoever came first shows it. */
async function traced(trace: TraceSpan | undefined, plan: () => Promise<Run>): Promise<Run> {
  const span = trace?.child('plan', {});
  try {
    const run = await plan();
    span?.end();
    return run;
  } catch (thrown) {
    span?.end('the operation cannot be planned');
    throw thrown;
  }
}

/** How many operations a new graph plans ahead. */
const MOST_RECENT = 200;

/** Executes over any number of subgraphs: an operation is planned and compiled on first sight, then only run. */
export function createPlannerEngine(options: PlannerEngineOptions): Engine {
  const { supergraphSdl, document, schema, planner, subgraphs, deadlineMs } = options;
  const supergraph = buildASTSchema(document, { assumeValid: true, assumeValidSDL: true });
  const types = new TypeIndex(supergraph);
  const keys = new ClientKeys(supergraph);
  const documents = new PlannerDocuments(schema, document, keys);
  const prepare = authorizing(
    schema,
    readRequirements(document),
    createPreparer({
      schema,
      types,
      requirements: requirementsOf(supergraph),
      keys,
      documents,
      planner,
      subgraphs,
      deadlineMs,
    }),
  );
  const operations = new DocumentCache<{ run: Run | Promise<Run> }>(options.capacity);

  async function prepared(document: DocumentNode, operationName: string | undefined): Promise<Run> {
    const selected = selectOperation(document, operationName);
    return 'operation' in selected ? prepare(selected) : () => ({ errors: [selected] });
  }

  function ready({ document, operationName, trace }: Named): Run | Promise<Run> {
    const entry = operations.get(document, operationName, () => ({
      run: traced(trace, () => prepared(document, operationName)).then(
        (run) => (entry.run = run),
        (thrown) => {
          // What cannot be planned stays so: asking again would only kill the planner again.
          const final = thrown instanceof RollcallError && thrown.code === 'INTERNAL';
          if (!final) operations.delete(document, operationName);
          throw thrown;
        },
      ),
    }));
    return entry.run;
  }

  return {
    schema,
    supergraphSdl,
    execute(request) {
      request.signal?.throwIfAborted();
      const run = ready(request);
      return typeof run === 'function' ? run(request) : run.then((planned) => planned(request));
    },
    recentOperations: () => operations.recent(MOST_RECENT),
    async prepare(document, operationName) {
      await ready({ document, operationName });
    },
    retire: () => planner.close(),
    async close() {
      planner.close();
      await Promise.all([...new Set([...subgraphs.values()].map(({ executor }) => executor))].map((e) => e.close()));
    },
  };
}
