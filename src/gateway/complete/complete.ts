import {
  type FieldNode,
  GraphQLError,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { JsonObject } from '../engine.ts';
import { isObject } from '../plan/merge.ts';
import {
  both,
  type CollectContext,
  type ConditionalSelection,
  collectFields,
  conditionOf,
  type Included,
  NEVER,
} from './collect.ts';

/** What one completion found wrong: values that no subgraph error explains are reported with their exact path. */
export interface CompletionState {
  readonly variables: Readonly<JsonObject>;
  /** Response path down to the present depth; entries beyond it are stale. */
  readonly path: (string | number)[];
  readonly violations: GraphQLError[];
}

/** Stands for a null that its parent may not hold. */
const BUBBLE = Symbol('null bubbling up');

type Complete = (value: unknown, state: CompletionState, depth: number) => unknown;

interface CompletedField {
  readonly key: string;
  readonly sourceKey: string;
  readonly again: boolean;
  readonly included: Included;
  readonly complete: Complete;
}

export interface CompletionContext extends CollectContext {
  readonly schema: GraphQLSchema;
  /** The key under which a field stands in the fetched data. */
  sourceKey(field: FieldNode): string;
  /** What to tell instead of a field's value, or of any object of a type, that the caller may not have. */
  withheld?(typeName: string, field?: FieldNode): Refusal | undefined;
}

/** Why something is kept from the caller. */
export interface Refusal {
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN';
  readonly message: string;
}

/** A subgraph that answers rubbish for a long list must not make us build an error for each entry. */
const MAX_VIOLATIONS = 100;

function report(
  state: CompletionState,
  depth: number,
  message: string,
  code: 'UPSTREAM_INVALID' | Refusal['code'] = 'UPSTREAM_INVALID',
): void {
  if (state.violations.length >= MAX_VIOLATIONS) return;
  state.violations.push(new GraphQLError(message, { path: state.path.slice(0, depth), extensions: { code } }));
}

/** Tells why there is no value. */
const refuse =
  ({ code, message }: Refusal, nullable: boolean): Complete =>
  (_value, state, depth) => {
    report(state, depth, message, code);
    return nullable ? null : BUBBLE;
  };

/**
 * Compiles response completion (GraphQL §6.4.3 and §6.4.4) for an operation's root: exactly the fields that were asked
 * for, in their order, with every null where the client-facing schema allows one, or bubbled up to where it does.
 * Returns null when the null reaches the root.
 */
export function compileCompletion(
  root: GraphQLObjectType,
  selections: readonly ConditionalSelection[],
  context: CompletionContext,
): (data: JsonObject, state: CompletionState) => JsonObject | null {
  const complete = completeObject(root, selections, context);
  return (data, state) => complete(data, state, 0) as JsonObject | null;
}

function completeObject(
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: readonly ConditionalSelection[],
  context: CompletionContext,
): Complete {
  const fields: CompletedField[] = [];
  for (const { key, again, node, included, selections: inner } of collectFields(type, selections, context)) {
    const name = node.name.value;
    const sourceKey = context.sourceKey(node);
    const definition = type.getFields()[name];
    if (name === '__typename') fields.push({ key, sourceKey, again, included, complete: typeNameOf(type) });
    // Introspection has its own execution, whose result is complete already.
    else if (name === '__schema' || name === '__type')
      fields.push({ key, sourceKey: key, again, included, complete: (value) => value ?? null });
    else if (definition !== undefined) {
      const refusal = context.withheld?.(type.name, node);
      const complete =
        refusal === undefined
          ? completeType(definition.type, inner, `${type.name}.${name}`, context)
          : refuse(refusal, !isNonNullType(definition.type));
      fields.push({ key, sourceKey, again, included, complete });
    }
  }
  return (value, state, depth) => {
    const source = value as JsonObject;
    const result: JsonObject = {};
    for (const field of fields) {
      if (field.included !== null && !field.included(state.variables)) continue;
      if (field.again && Object.hasOwn(result, field.key)) continue;
      state.path[depth] = field.key;
      const completed = field.complete(source[field.sourceKey], state, depth + 1);
      if (completed === BUBBLE) return null;
      result[field.key] = completed;
    }
    return result;
  };
}

/** The interface's own name only where nothing better is known: what was fetched names the object. */
function typeNameOf(type: GraphQLObjectType | GraphQLInterfaceType): Complete {
  return isObjectType(type) ? () => type.name : (value) => (typeof value === 'string' ? value : type.name);
}

/** What values of the scalars of the specification look like in JSON (GraphQL §3.5); others may have any shape. */
const SCALARS: Readonly<Record<string, ((value: unknown) => boolean) | undefined>> = {
  Int: (value) => typeof value === 'number' && (value | 0) === value,
  Float: (value) => typeof value === 'number',
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => typeof value === 'string' || Number.isInteger(value),
};

function completeType(
  type: GraphQLOutputType,
  selections: readonly ConditionalSelection[],
  field: string,
  context: CompletionContext,
): Complete {
  if (isNonNullType(type)) {
    const complete = completeType(type.ofType, selections, field, context);
    return (value, state, depth) => {
      if (value === null || value === undefined) {
        report(state, depth, `Cannot return null for non-nullable field ${field}.`);
        return BUBBLE;
      }
      const completed = complete(value, state, depth);
      return completed === null ? BUBBLE : completed;
    };
  }
  if (isListType(type)) return completeList(completeType(type.ofType, selections, field, context), field);
  if (isEnumType(type)) {
    return (value, state, depth) => {
      if (value === null || value === undefined) return null;
      if (typeof value === 'string' && type.getValue(value) !== undefined) return value;
      report(state, depth, `The value of ${field} is not one of enum ${type.name}.`);
      return null;
    };
  }
  if (isLeafType(type)) {
    const fits = SCALARS[type.name];
    if (fits === undefined) return (value) => value ?? null;
    return (value, state, depth) => {
      if (value === null || value === undefined) return null;
      if (fits(value)) return value;
      report(state, depth, `The value of ${field} is not of type ${type.name}.`);
      return null;
    };
  }

  const known = isObjectType(type) ? type : null;
  const typeConditions = selections.flatMap(({ selectionSet, included }) => typeDependence(selectionSet, included));
  const needsType = ({ variables }: CompletionState) =>
    typeConditions.some((included) => included === null || included(variables));
  const byType = new Map<string, Complete>();
  return (value, state, depth) => {
    if (value === null || value === undefined) return null;
    // Plans leave `__typename` out where nothing depends on it: then the interface says all there is to say.
    const fetched = (value as JsonObject).__typename;
    const typeName = known?.name ?? fetched ?? type.name;
    if (known === null && fetched === type.name && needsType(state)) {
      report(state, depth, `The type of ${field} could not be fetched.`);
      return null;
    }
    if (!isObject(value) || Array.isArray(value) || typeof typeName !== 'string') {
      report(state, depth, `The value of ${field} is not an object of type ${type.name}.`);
      return null;
    }
    let complete = byType.get(typeName);
    if (complete === undefined) {
      const runtime = known ?? context.schema.getType(typeName);
      if (!(isObjectType(runtime) || isInterfaceType(runtime)) || !context.satisfies(runtime.name, type.name)) {
        report(state, depth, `The value of ${field} has a type that ${type.name} does not include.`);
        return null;
      }
      const refusal = known === null ? context.withheld?.(typeName) : undefined;
      complete = refusal === undefined ? completeObject(runtime, selections, context) : refuse(refusal, true);
      byType.set(typeName, complete);
    }
    return complete(value, state, depth);
  };
}

/** When the response says something about an object's type, or leaves something out because of it. */
function typeDependence({ selections }: SelectionSetNode, outer: Included): Included[] {
  return selections.flatMap((selection): Included[] => {
    if (selection.kind === Kind.FIELD && selection.name.value !== '__typename') return [];
    const own = conditionOf(selection.directives);
    return own === NEVER ? [] : [both(outer, own)];
  });
}

function completeList(complete: Complete, field: string): Complete {
  return (value, state, depth) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) {
      report(state, depth, `The value of ${field} is not a list.`);
      return null;
    }
    const result = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) {
      state.path[depth] = i;
      const completed = complete(value[i], state, depth + 1);
      if (completed === BUBBLE) return null;
      result[i] = completed;
    }
    return result;
  };
}
