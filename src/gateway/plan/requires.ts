import type { RequiresSelection } from '@graphql-hive/router-query-planner';
import type { JsonObject } from '../engine.ts';
import { isObject, type Merge } from './merge.ts';
import type { TypeIndex } from './type-index.ts';

/** The representation of an entity for a fetch; null when the entity has no value that could identify it. */
export type Project = (entity: JsonObject, variables: Readonly<JsonObject>) => JsonObject | null;

type Part = (entity: JsonObject, into: JsonObject, variables: Readonly<JsonObject>) => void;

/**
 * Compiles what a fetch requires of an entity (its keys and the fields that `@requires` names). An explicit null is
 * passed on, because to a `@requires` resolver it means something else than a field nobody could fetch. The fields
 * stand in the data under their `name`; an `alias` is how the planner keeps two argument sets of one field apart.
 */
export function compileRequires(selections: readonly RequiresSelection[], types: TypeIndex, merge: Merge): Project {
  const parts = compileParts(selections, types, merge);
  return (entity, variables) => {
    const projected: JsonObject = {};
    for (const part of parts) part(entity, projected, variables);
    for (const key in projected) if (key !== '__typename' && projected[key] !== null) return projected;
    return null;
  };
}

const compileParts = (selections: readonly RequiresSelection[], types: TypeIndex, merge: Merge): Part[] =>
  selections.map((selection) => compilePart(selection, types, merge));

function compilePart(selection: RequiresSelection, types: TypeIndex, merge: Merge): Part {
  if (selection.kind === 'FragmentSpread') throw new Error('The plan requires a fragment by name.');
  if (selection.kind === 'InlineFragment') {
    const { typeCondition, skipIf, includeIf } = selection;
    const parts = compileParts(selection.selections, types, merge);
    return (entity, into, variables) => {
      if (skipIf && variables[skipIf] === true) return;
      if (includeIf && variables[includeIf] !== true) return;
      if (typeof entity.__typename !== 'string' || !types.satisfies(entity.__typename, typeCondition)) return;
      for (const part of parts) part(entity, into, variables);
    };
  }
  const { name } = selection;
  const key = selection.alias ?? name;
  const read = (entity: JsonObject): unknown => entity[name];
  if (!selection.selections?.length) {
    return (entity, into) => {
      const value = read(entity);
      if (value !== undefined) into[key] = value;
    };
  }
  const parts = compileParts(selection.selections, types, merge);
  // Without it the subgraph could not tell which member of a union it was given; plans leave it out.
  const isAbstract = selection.selections.some((inner) => inner.kind === 'InlineFragment');
  const nested = (value: unknown, variables: Readonly<JsonObject>): unknown => {
    if (Array.isArray(value)) return value.map((item) => nested(item, variables));
    if (!isObject(value)) return value;
    const projected: JsonObject = {};
    if (isAbstract && typeof value.__typename === 'string') projected.__typename = value.__typename;
    for (const part of parts) part(value, projected, variables);
    return projected;
  };
  return (entity, into, variables) => {
    const value = read(entity);
    if (value === undefined) return;
    merge(into, { [key]: nested(value, variables) });
  };
}
