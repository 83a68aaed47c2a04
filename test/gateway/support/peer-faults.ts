import { type DocumentNode, type ExecutionResult, Kind, type SelectionSetNode } from 'graphql';
import { at, type Difference, differences, fieldsAlong, isObject, type Path } from './answer-differences.ts';

/** What is known of the operation when a difference is judged. */
export interface Case {
  readonly document: DocumentNode;
  /** What graphql-js answers on the graph as one schema. */
  readonly expected: ExecutionResult;
  /** All of the peer's answer. */
  readonly theirs: ExecutionResult;
}

interface Fault {
  readonly name: string;
  explains(difference: Difference, known: Case): boolean;
}

const errorsOf = (result: ExecutionResult): Path[] => (result.errors ?? []).map(({ path }) => path ?? []);
const startsWith = (path: Path, start: Path): boolean => start.every((key, i) => path[i] === key);
const isNothing = (value: unknown): value is null | undefined => value === null || value === undefined;

const SHADOWED = "an alias that is another field's name";

/** What fields of the test world require of other subgraphs. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  creatorLine: ['creator'],
  shippingCost: ['price', 'dimensions'],
};

/** What the peer is known to answer wrongly. Each rule says what is wrong, and recognises nothing else. */
const FAULTS: readonly Fault[] = [
  {
    // GraphQL §6.4.4: a null that may not be makes its parent null, up to where null is allowed. The peer leaves it (or
    // nothing) in place, so graphql-js has null here and an error of a place below, where the peer has no value either.
    name: 'a null that does not bubble',
    explains: ({ path, theirs, ours }, { expected, theirs: answer }) =>
      ours === null &&
      isObject(theirs) &&
      errorsOf(expected).some(
        (error) => error.length > path.length && startsWith(error, path) && isNothing(at(answer.data, error)),
      ),
  },
  {
    // GraphQL §7.1: `data` is there whenever execution began, also as null or as an object without fields.
    name: 'no data at all instead of null or of an empty object',
    explains: ({ path, theirs, ours }) =>
      path.length === 0 &&
      theirs === undefined &&
      (ours === null || (isObject(ours) && Object.keys(ours).length === 0)),
  },
  {
    // GraphQL §6.3.2: selections of one response key are merged. Where both are lists of objects, the peer appends the
    // items of the second selection to those of the first, so its list is a multiple as long; folded back, it is ours.
    name: 'lists of two selections one after the other',
    explains({ path, theirs, ours }, known) {
      if (!Array.isArray(theirs) || !Array.isArray(ours) || ours.length === 0) return false;
      if (theirs.length <= ours.length || theirs.length % ours.length !== 0) return false;
      const folded = ours.map((_, i) => theirs.filter((__, j) => j % ours.length === i).reduce(merged));
      return differences(folded, ours, path).every((inner) => faultOf(inner, known) !== undefined);
    },
  },
  {
    // What `@requires` reads through a union goes out without `__typename`, so the subgraph takes a person for a studio.
    name: 'an input of @requires without its concrete type',
    explains: ({ path, theirs, ours }, { document }) =>
      isField(document, path, 'creatorLine') &&
      theirs === 'from undefined' &&
      typeof ours === 'string' &&
      ours.startsWith('by '),
  },
  {
    // The input's own fetch failed, and the peer has the field computed as if the input had been null.
    name: 'a field computed without its required input',
    explains: ({ path, theirs, ours }, { document, expected }) =>
      isField(document, path, 'creatorLine') &&
      theirs === 'by nobody' &&
      ours === null &&
      errorsOf(expected).some((error) => String(error) === String(path)),
  },
  {
    // The client's alias has the name of a field that `@requires` reads of the same object: the peer sends what stands
    // under that name.
    name: SHADOWED,
    explains: ({ path }, { document }) => {
      const field = fieldsAlong(document, path).at(-1) ?? '';
      return (REQUIRED[field] ?? []).some((input) => {
        const named = fieldsAlong(document, [...path.slice(0, -1), input]).at(-1) ?? '';
        return named !== '' && named !== input;
      });
    },
  },
  {
    // The subgraph with `@interfaceObject` names only the interface. Where a field of the interface is asked for next to
    // one of a concrete type, the peer leaves the latter out, or null, and reports no error.
    name: 'a type condition on an interface object',
    explains: ({ path, theirs, ours }, { document, theirs: answer }) =>
      fieldsAlong(document, path).slice(1, -1).includes('item') &&
      isNothing(theirs) &&
      !isNothing(ours) &&
      !errorsOf(answer).some((error) => startsWith(path, error) || startsWith(error, path)),
  },
  {
    // The planner joins what the types of an interface object are asked, and loses one of a field's conditions. So the
    // peer fetches a field that nobody asks of this object; the field fails, and takes others, or the object, with it.
    name: 'a field fetched that was not asked for',
    explains: ({ path, theirs }, { expected, theirs: answer }) =>
      isNothing(theirs) &&
      [path, path.slice(0, -1)].some((object) => {
        const right = at(expected.data, object);
        return (
          isObject(right) &&
          errorsOf(answer).some(
            (error) => error.length > object.length && startsWith(error, object) && !(error[object.length]! in right),
          )
        );
      }),
  },
];

const isField = (document: DocumentNode, path: Path, name: string): boolean =>
  fieldsAlong(document, path).at(-1) === name;

function merged(first: unknown, second: unknown): unknown {
  if (!isObject(first) || !isObject(second)) return second ?? first ?? null;
  if (Array.isArray(first) && Array.isArray(second)) return first.map((item, i) => merged(item, second[i]));
  const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(first[key], second[key])]));
}

/** The peer's fault that a difference comes from. */
export const faultOf = (difference: Difference, known: Case): string | undefined =>
  FAULTS.find((fault) => fault.explains(difference, known))?.name;

/** The peer's fault that makes it give no answer to a valid operation; whether an alias in it is another field's name. */
export function refusalOf(thrown: unknown, document: DocumentNode, hasShadowingAlias: boolean): string | undefined {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // The planner loses its way in a fragment that repeats its type; ours is shown the operation rewritten.
  if (message.startsWith('Failed to plan query: walker failed to locate path')) return 'an operation it cannot plan';
  // Nor does it plan nothing, which is what is left where literals exclude every field.
  if (message.startsWith('Failed to plan query: failed to build plan') && isEmpty(document))
    return 'an operation of which literals leave nothing';
  // What the plan reads and a client's alias of the same name, as in `id: founder { … }`, get one place; or the planner,
  // which would rename one of them, gives up.
  const isMixedUp =
    message.startsWith("Cannot use 'in' operator") ||
    message.includes('during alias patching') ||
    message.includes('_internal_qp_alias_');
  return hasShadowingAlias && isMixedUp ? SHADOWED : undefined;
}

/** Whether `@skip(if: true)` and `@include(if: false)` leave no field of the operation. */
function isEmpty({ definitions }: DocumentNode): boolean {
  const left = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      const excluded = selection.directives?.some(({ name, arguments: given }) => {
        const value = given?.[0]?.value;
        return value?.kind === Kind.BOOLEAN && value.value === (name.value === 'skip');
      });
      if (excluded === true || selection.kind === Kind.FIELD) return excluded !== true;
      if (selection.kind === Kind.INLINE_FRAGMENT) return left(selection.selectionSet);
      const fragment = definitions.find((one) => 'name' in one && one.name?.value === selection.name.value);
      return fragment?.kind === Kind.FRAGMENT_DEFINITION && left(fragment.selectionSet);
    });
  return !definitions.some((one) => one.kind === Kind.OPERATION_DEFINITION && left(one.selectionSet));
}
