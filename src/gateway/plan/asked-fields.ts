import type { FlattenNodePathSegment } from '@graphql-hive/router-query-planner';
import { type FieldNode, Kind, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { AskedFor } from '../complete/explain.ts';
import type { TypeIndex } from './type-index.ts';

/** What an operation asks for at the places of its response, by the type of the object there. */
export class AskedFields {
  readonly #asked: AskedFor;
  readonly #types: TypeIndex;
  /** Fields that only the plan wants: they stay wherever they are. */
  readonly #ofPlan: ReadonlySet<string>;

  constructor(asked: AskedFor, types: TypeIndex, ofPlan: ReadonlySet<string>) {
    this.#asked = asked;
    this.#types = types;
    this.#ofPlan = ofPlan;
  }

  /** What is left of a fetch for objects of one type at these places; null when that is nothing. */
  only(
    fetched: SelectionSetNode,
    paths: readonly (readonly FlattenNodePathSegment[])[],
    object: string,
  ): SelectionSetNode | null {
    const all = paths.flatMap((path) => this.#selectionsAt(path));
    const own = all.flatMap((set) => this.#ofType(set, object));
    const everyone = all.flatMap((set) => this.#ofType(set, null));
    return this.#prune(fetched, own, everyone);
  }

  /** The client's selections at a place of the response, of whatever type the objects on the way are. */
  #selectionsAt(path: readonly FlattenNodePathSegment[]): SelectionSetNode[] {
    let level = [this.#asked.operation.selectionSet];
    for (const segment of path) {
      if (segment === '@' || 'TypeCondition' in segment) continue;
      const fields = level.flatMap((set) => this.#ofType(set, null));
      level = this.#below(fields, segment.Field);
    }
    return level;
  }

  /** The fields of a selection set that concern objects of a type; of any type where it is null. */
  #ofType(node: SelectionSetNode, object: string | null, seen = new Set<SelectionSetNode>()): FieldNode[] {
    if (seen.has(node)) return [];
    seen.add(node);
    return node.selections.flatMap((selection): FieldNode[] => {
      if (selection.kind === Kind.FIELD) return [selection];
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#asked.fragments[selection.name.value];
      if (fragment === undefined) return [];
      const condition = fragment.typeCondition?.name.value;
      const concerns = object === null || condition === undefined || this.#types.satisfies(object, condition);
      return concerns ? this.#ofType(fragment.selectionSet, object, seen) : [];
    });
  }

  #below(fields: readonly FieldNode[], key: string): SelectionSetNode[] {
    return fields.flatMap((field) =>
      this.#asked.sourceKey(field) === key && field.selectionSet ? [field.selectionSet] : [],
    );
  }

  /** What of a fetch these fields want, or the plan itself; null when that is nothing. */
  #prune(node: SelectionSetNode, own: readonly FieldNode[], everyone: readonly FieldNode[]): SelectionSetNode | null {
    const selections = node.selections.flatMap((selection): SelectionNode[] => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const inner = this.#prune(selection.selectionSet, own, everyone);
        return inner === null ? [] : [{ ...selection, selectionSet: inner }];
      }
      const key = (selection.alias ?? selection.name).value;
      const isOfPlan = this.#ofPlan.has(key) || !everyone.some((field) => this.#asked.sourceKey(field) === key);
      if (!isOfPlan && !own.some((field) => this.#asked.sourceKey(field) === key)) return [];
      if (isOfPlan || selection.selectionSet === undefined) return [selection];
      const [mine, all] = [this.#below(own, key), this.#below(everyone, key)].map((sets) =>
        sets.flatMap((set) => this.#ofType(set, null)),
      ) as [FieldNode[], FieldNode[]];
      const inner = this.#prune(selection.selectionSet, mine, all);
      return [{ ...selection, selectionSet: inner ?? JUST_TYPENAME }];
    });
    const wanted = selections.some((one) => one.kind !== Kind.FIELD || one.name.value !== '__typename');
    return wanted ? { ...node, selections } : null;
  }
}

const JUST_TYPENAME: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
};
