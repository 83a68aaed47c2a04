import type { FlattenNodePathSegment, InputRewrite, RequiresSelection } from '@graphql-hive/router-query-planner';
import type { JsonObject } from '../engine.ts';
import { type ErrorSource, type ResponsePath, relocate, type SubgraphError, subgraphFailure } from '../failure.ts';
import { clientPath } from './fetch.ts';
import { copyJson, isObject } from './merge.ts';
import { compileRequires } from './requires.ts';
import { compileRewrites, type Rewrites } from './rewrites.ts';
import type { PlanContext, PlanRun } from './run.ts';
import { compileWalk, fieldsOf } from './walk.ts';

export interface EntityBatchParts {
  readonly paths: readonly (readonly FlattenNodePathSegment[])[];
  readonly requires: readonly RequiresSelection[];
  readonly inputRewrites?: readonly InputRewrite[] | undefined;
}

/** The representations of one fetch, by their text: equal ones are sent once. */
export class Representations {
  readonly list: JsonObject[] = [];
  readonly #indexes = new Map<string, number>();

  add(representation: JsonObject): number {
    const key = JSON.stringify(representation);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.list.length;
      this.#indexes.set(key, index);
      this.list.push(representation);
    }
    return index;
  }
}

/** Where the entities of one answer go: `targets[index of the representation]`. */
export type Targets = JsonObject[][];

export interface EntityBatch {
  /** Finds the entities and adds their representations. */
  collect(run: PlanRun, representations: Representations): Targets;
  /** Merges the answered entities into the places they belong to. */
  apply(entities: unknown, targets: Targets): void;
  /** A subgraph's error about one entity, at every place where that entity stands in the response. */
  fail(run: PlanRun, targets: Targets, error: SubgraphError, source: ErrorSource, rewrites: Rewrites | null): void;
  /** No answer: every place gets an error. */
  failAll(run: PlanRun, targets: Targets, thrown: unknown, source: ErrorSource): void;
}

/** More places than this get one error together, at the field that holds them. */
const MAX_PLACES = 100;

/**
 * Where representations are sent as an interface (the subgraph knows it as `@interfaceObject`), every object of that
 * interface qualifies: the planner joins the fetches for several of its types into one and keeps the type condition of
 * a single one of them. What this fetches too much never reaches the response.
 */
function widened({ requires, inputRewrites }: EntityBatchParts, context: PlanContext): readonly RequiresSelection[] {
  const asInterface = (inputRewrites ?? []).flatMap((rewrite) => {
    const setter = 'ValueSetter' in rewrite ? rewrite.ValueSetter : 'setValueTo' in rewrite ? rewrite : null;
    return setter !== null && !context.types.isObject(setter.setValueTo) ? [setter.setValueTo] : [];
  });
  return requires.map((selection) => {
    if (selection.kind !== 'InlineFragment') return selection;
    const wider = asInterface.find((name) => context.types.satisfies(selection.typeCondition, name));
    return wider === undefined ? selection : { ...selection, typeCondition: wider };
  });
}

export function compileEntityBatch(node: EntityBatchParts, context: PlanContext): EntityBatch {
  const walks = node.paths.map((path) => compileWalk(path, context.types));
  const project = compileRequires(widened(node, context), context.types, context.merge);
  const rewrites = compileRewrites(node.inputRewrites, context.types);
  const heldBy = fieldsOf(node.paths[0] ?? []).slice(0, 1);

  /** Only for errors: walks again, this time with positions. */
  const placesOf = (run: PlanRun, wanted: ReadonlySet<JsonObject>): ResponsePath[] => {
    const places: ResponsePath[] = [];
    for (const walk of walks) {
      walk(run.data, [], (entity, path) => {
        if (path !== undefined && wanted.has(entity)) places.push([...path]);
      });
    }
    return places;
  };

  return {
    collect(run, representations) {
      const targets: Targets = [];
      for (const walk of walks) {
        walk(run.data, undefined, (entity) => {
          if (typeof entity.__typename !== 'string') return;
          const representation = project(entity, run.variables);
          if (representation === null) return;
          representation.__typename ??= entity.__typename;
          rewrites?.apply(representation);
          const index = representations.add(representation);
          const places = targets[index];
          if (places === undefined) targets[index] = [entity];
          else places.push(entity);
        });
      }
      return targets;
    },
    apply(entities, targets) {
      if (!Array.isArray(entities)) return;
      targets.forEach((places, index) => {
        const entity: unknown = entities[index];
        if (!isObject(entity)) return;
        places.forEach((place, i) => void context.merge(place, i < places.length - 1 ? copyJson(entity) : entity));
      });
    },
    fail(run, targets, error, source, outputRewrites) {
      const index = error.path?.[1];
      const entities = typeof index === 'number' ? targets[index] : undefined;
      const places = entities === undefined ? [] : placesOf(run, new Set(entities));
      const rest = clientPath(error.path?.slice(2) ?? [], outputRewrites);
      if (places.length === 0) run.errors.push(relocate(error, heldBy, source));
      for (const place of places) run.errors.push(relocate(error, [...place, ...rest], source));
    },
    failAll(run, targets, thrown, source) {
      const places = placesOf(run, new Set(targets.flat()));
      const shown = places.length > MAX_PLACES ? [heldBy] : places;
      for (const place of shown) run.errors.push(subgraphFailure(thrown, place, source));
    },
  };
}
