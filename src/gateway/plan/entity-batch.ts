import type { FlattenNodePathSegment, InputRewrite, RequiresSelection } from '@graphql-hive/router-query-planner';
import { GraphQLError, type SelectionSetNode } from 'graphql';
import { RollcallError } from '../../errors.ts';
import type { JsonObject } from '../engine.ts';
import {
  asLoss,
  type ErrorSource,
  type ResponsePath,
  relocate,
  type SubgraphError,
  subgraphFailure,
} from '../failure.ts';
import { clientPath } from './fetch.ts';
import { copyJson, isObject } from './merge.ts';
import { compileLost, type Lost } from './required-inputs.ts';
import { compileRequires } from './requires.ts';
import { compileRewrites, type Rewrites } from './rewrites.ts';
import type { PlanContext, PlanRun } from './run.ts';
import { compileWalk, fieldsOf } from './walk.ts';

export interface EntityBatchParts {
  readonly paths: readonly (readonly FlattenNodePathSegment[])[];
  readonly requires: readonly RequiresSelection[];
  readonly inputRewrites?: readonly InputRewrite[] | undefined;
  readonly serviceName: string;
  /** What is asked of the entities. */
  readonly asked: SelectionSetNode;
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

/** Where the entities of one answer go: `places[index of the representation]`. */
export interface Targets {
  readonly places: JsonObject[][];
  /** By index of the representation: what its subgraph cannot compute rightly. */
  lost: Map<number, Lost> | null;
}

/** What an error came with. */
interface Failed {
  readonly source: ErrorSource;
  readonly rewrites: Rewrites | null;
  /** The list that was answered, if any. */
  readonly entities: unknown;
}

/** What a list of entities came with. */
interface Answered {
  readonly source: ErrorSource;
  /** How many representations were sent. */
  readonly sent: number;
  /** Whether the subgraph reported errors. */
  readonly failed: boolean;
}

export interface EntityBatch {
  /** Finds the entities and adds their representations. */
  collect(run: PlanRun, representations: Representations): Targets;
  /** Merges the answered entities into the places they belong to. */
  apply(run: PlanRun, entities: unknown, targets: Targets, answer: Answered): void;
  /** A subgraph's error about one entity, at every place where that entity stands in the response. */
  fail(run: PlanRun, targets: Targets, error: SubgraphError, from: Failed): void;
  /** No answer: every place gets an error. */
  failAll(run: PlanRun, targets: Targets, thrown: unknown, source: ErrorSource): void;
}

export const LOST_INPUT = 'This field could not be computed: what it requires of other subgraphs could not be fetched.';

const unusable = (what: string): RollcallError => new RollcallError('UPSTREAM_INVALID', `The subgraph ${what}.`);

/** More places than this get one error together, at the field that holds them. */
const MAX_PLACES = 100;

export function compileEntityBatch(node: EntityBatchParts, context: PlanContext): EntityBatch {
  const walks = node.paths.map((path) => compileWalk(path, context.types));
  const project = compileRequires(node.requires, context.types, context.merge);
  const rewrites = compileRewrites(node.inputRewrites, context.types);
  const lostOf = compileLost(node.asked, node.serviceName, node.requires, context);
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

  /** Instead of what was computed without its inputs, or would have been. */
  const tellLost = (run: PlanRun, key: string, entities: ReadonlySet<JsonObject>): void => {
    const places = placesOf(run, entities).map((place) => [...place, key]);
    for (const path of places.length > MAX_PLACES ? [heldBy] : places) {
      run.errors.push(new GraphQLError(LOST_INPUT, { path, extensions: { code: 'UPSTREAM_INVALID' } }));
    }
  };

  return {
    collect(run, representations) {
      const targets: Targets = { places: [], lost: null };
      let unsent: Map<string, Set<JsonObject>> | undefined;
      for (const walk of walks) {
        walk(run.data, undefined, (entity) => {
          if (typeof entity.__typename !== 'string') return;
          const representation = project(entity, run.variables);
          if (representation === null) return;
          representation.__typename ??= entity.__typename;
          rewrites?.apply(representation);
          const lost = lostOf?.(representation) ?? null;
          if (lost?.all) {
            unsent ??= new Map();
            for (const key of lost.keys) unsent.set(key, (unsent.get(key) ?? new Set<JsonObject>()).add(entity));
            return;
          }
          const index = representations.add(representation);
          if (lost !== null) {
            targets.lost ??= new Map();
            targets.lost.set(index, lost);
          }
          const places = targets.places[index];
          if (places === undefined) targets.places[index] = [entity];
          else places.push(entity);
        });
      }
      for (const [key, entities] of unsent ?? []) tellLost(run, key, entities);
      return targets;
    },
    apply(run, entities, targets, { source, sent, failed }) {
      for (const [index, { keys }] of targets.lost ?? []) {
        const entity: unknown = Array.isArray(entities) ? entities[index] : undefined;
        for (const key of keys) {
          if (isObject(entity)) delete entity[key];
          tellLost(run, key, new Set(targets.places[index]));
        }
      }
      if (!Array.isArray(entities)) {
        // The subgraph's own errors have said so already, if there were any.
        if (!failed) this.failAll(run, targets, unusable('gave no list of entities'), source);
        return;
      }
      // Which of them are whose cannot be known then: better none than those of others.
      if (entities.length !== sent) {
        this.failAll(run, targets, unusable(`gave ${entities.length} entities where ${sent} were asked for`), source);
        return;
      }
      targets.places.forEach((places, index) => {
        const entity: unknown = entities[index];
        if (entity === null) return;
        if (!isObject(entity) || Array.isArray(entity)) {
          const own: Targets = { places: [places], lost: null };
          this.failAll(run, own, unusable('gave something else than an object for an entity'), source);
          return;
        }
        places.forEach((place, i) => void context.merge(place, i < places.length - 1 ? copyJson(entity) : entity));
      });
    },
    fail(run, targets, error, { source, rewrites: outputRewrites, entities: answered }) {
      const index = error.path?.[1];
      const lost = typeof index === 'number' ? targets.lost?.get(index) : undefined;
      if (lost?.keys.includes(error.path?.[2] as string)) return;
      const entities = typeof index === 'number' ? targets.places[index] : undefined;
      const places = entities === undefined ? [] : placesOf(run, new Set(entities));
      const rest = clientPath(error.path?.slice(2) ?? [], outputRewrites);
      if (places.length === 0) run.errors.push(relocate(error, heldBy, source));
      const isWhole = typeof index === 'number' && !isObject(Array.isArray(answered) ? answered[index] : null);
      for (const place of places) {
        const told = relocate(error, [...place, ...rest], source);
        run.errors.push(isWhole ? asLoss(told) : told);
      }
    },
    failAll(run, targets, thrown, source) {
      const places = placesOf(run, new Set(targets.places.flat()));
      const shown = places.length > MAX_PLACES ? [heldBy] : places;
      for (const place of shown) run.errors.push(subgraphFailure(thrown, place, source));
    },
  };
}
