import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { JsonObject } from '../engine.ts';

/** Whether something is included, given the operation's variables; null means always. */
export type Included = ((variables: Readonly<JsonObject>) => boolean) | null;

export interface ConditionalSelection {
  readonly selectionSet: SelectionSetNode;
  readonly included: Included;
}

/**
 * One response key of an object, at one of the places where it may come to stand: the first included one decides the
 * order of the response. The selections are those of all its nodes.
 */
export interface CollectedField {
  readonly key: string;
  /** True where an earlier place may have been included already. */
  readonly again: boolean;
  readonly node: FieldNode;
  readonly included: Included;
  readonly selections: readonly ConditionalSelection[];
}

export interface CollectContext {
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  satisfies(typeName: string, condition: string): boolean;
}

/** CollectFields (GraphQL §6.3.2) once per operation and runtime type; `@skip` and `@include` stay as conditions on variables. */
export function collectFields(
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: readonly ConditionalSelection[],
  context: CollectContext,
): CollectedField[] {
  const found = new Map<string, { node: FieldNode; certain: boolean; selections: ConditionalSelection[] }>();
  const fields: CollectedField[] = [];
  const visit = (selectionSet: SelectionSetNode, outer: Included): void => {
    for (const selection of selectionSet.selections) {
      const own = conditionOf(selection.directives);
      if (own === NEVER) continue;
      const included = both(outer, own);
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const again = found.has(key);
        const entry = found.get(key) ?? { node: selection, certain: false, selections: [] };
        found.set(key, entry);
        if (!entry.certain) fields.push({ key, again, node: entry.node, included, selections: entry.selections });
        entry.certain ||= included === null;
        if (selection.selectionSet) entry.selections.push({ selectionSet: selection.selectionSet, included });
        continue;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : context.fragments[selection.name.value];
      if (fragment === undefined) continue;
      const condition = fragment.typeCondition?.name.value;
      if (condition === undefined || context.satisfies(type.name, condition)) visit(fragment.selectionSet, included);
    }
  };
  for (const { selectionSet, included } of selections) visit(selectionSet, included);
  return fields;
}

/** Said by a literal: `@skip(if: true)` or `@include(if: false)`. */
export const NEVER = Symbol('never included');

export function conditionOf(directives: readonly DirectiveNode[] | undefined): Included | typeof NEVER {
  let condition: Included = null;
  for (const directive of directives ?? []) {
    const wanted = directive.name.value === 'include';
    if (!wanted && directive.name.value !== 'skip') continue;
    const value = directive.arguments?.[0]?.value;
    if (value?.kind === Kind.BOOLEAN) {
      if (value.value !== wanted) return NEVER;
    } else if (value?.kind === Kind.VARIABLE) {
      const name = value.name.value;
      condition = both(condition, (variables) => (variables[name] === true) === wanted);
    }
  }
  return condition;
}

export function both(a: Included, b: Included): Included {
  if (a === null) return b;
  if (b === null) return a;
  return (variables) => a(variables) && b(variables);
}
