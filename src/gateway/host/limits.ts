import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import { isDeeperThan } from '../../json-depth.ts';
import { fieldsOf } from '../field-count.ts';

/** What one operation may ask for. */
export interface QueryLimits {
  /** Nested fields. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields once fragments are spread: each is planned and compiled, however short the text. */
  readonly maxFields: number;
  /** Tokens of the document: checked by the parser, before anything else is done with it. */
  readonly maxTokens: number;
  /** Estimated number of objects and fields in the answer; see {@link checkLimits}. */
  readonly maxCost: number;
  /** Levels of the variables: what nests deeper overflows stacks further on. */
  readonly maxVariableDepth: number;
}

/** Enough for what a frontend asks, and for GraphiQL's introspection. */
export const DEFAULT_LIMITS: QueryLimits = {
  maxDepth: 20,
  maxAliases: 200,
  maxFields: 2_000,
  maxTokens: 10_000,
  maxCost: 50_000,
  maxVariableDepth: 50,
};

/** Items of a page whose `first` is not given, and of a list without pages. */
const DEFAULT_FIRST = 20;
const PLAIN_LIST = 5;

/** Introspection is measured as everything else is: a few aliases of it would answer megabytes. */
const META_FIELDS: Readonly<Record<string, GraphQLField<unknown, unknown>>> = {
  __schema: SchemaMetaFieldDef,
  __type: TypeMetaFieldDef,
};

interface Measure {
  depth: number;
  aliases: number;
  cost: number;
}

const NOTHING: Measure = { depth: 0, aliases: 0, cost: 0 };

const exceeded = (what: string, is: number, max: number): GraphQLError =>
  new GraphQLError(
    `The operation's ${what} is ${is}; at most ${max} is allowed. Ask for less, or in several requests.`,
    {
      extensions: { code: 'QUERY_TOO_COMPLEX', limit: what, maximum: max },
    },
  );

/**
 * Checks an operation against the limits. Cost is one per field, times the length of the lists it stands in: `first` of
 * a connection (20 when not given), 5 for a plain list. Each fragment is measured once and its measure reused, so that
 * fragments that multiply one another cost no more to check than to write. The document must be valid.
 */
export function checkLimits(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | undefined | null,
  limits: QueryLimits = DEFAULT_LIMITS,
): GraphQLError[] {
  if (variables != null && isDeeperThan(variables, limits.maxVariableDepth)) {
    const maximum = limits.maxVariableDepth;
    return [
      new GraphQLError(`The variables nest deeper than ${maximum} levels. Send flatter ones.`, {
        extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'depth of variables', maximum },
      }),
    ];
  }
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const d of document.definitions) if (d.kind === Kind.FRAGMENT_DEFINITION) fragments.set(d.name.value, d);
  const measured = new Map<string, Measure>();

  const lengthOf = (field: FieldNode, isList: boolean, isConnection: boolean, inConnection: boolean): number => {
    const first = field.arguments?.find((a) => a.name.value === 'first')?.value;
    if (first !== undefined || isConnection) {
      const value =
        first?.kind === Kind.INT
          ? Number(first.value)
          : first?.kind === Kind.VARIABLE
            ? variables?.[first.name.value]
            : undefined;
      return typeof value === 'number' && value >= 0 ? value : DEFAULT_FIRST;
    }
    return isList && !inConnection ? PLAIN_LIST : 1;
  };

  const ofSelection = (set: SelectionSetNode, parent: GraphQLCompositeType, inConnection: boolean): Measure => {
    const sum: Measure = { ...NOTHING };
    const add = (part: Measure): void => {
      sum.depth = Math.max(sum.depth, part.depth);
      sum.aliases += part.aliases;
      sum.cost += part.cost;
    };
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) add(ofField(selection, parent, inConnection));
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const type =
          selection.typeCondition === undefined ? parent : schema.getType(selection.typeCondition.name.value);
        add(ofSelection(selection.selectionSet, isCompositeType(type) ? type : parent, inConnection));
      } else add(ofFragment(selection.name.value, parent));
    }
    return sum;
  };

  const ofFragment = (name: string, parent: GraphQLCompositeType): Measure => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    // A fragment that spreads itself is invalid and refused elsewhere; here it must only not loop.
    measured.set(name, NOTHING);
    if (fragment === undefined) return measured.get(name)!;
    const type = schema.getType(fragment.typeCondition.name.value);
    const measure = ofSelection(fragment.selectionSet, isCompositeType(type) ? type : parent, false);
    measured.set(name, measure);
    return measure;
  };

  const ofField = (field: FieldNode, parent: GraphQLCompositeType, inConnection: boolean): Measure => {
    const name = field.name.value;
    const aliases = field.alias === undefined ? 0 : 1;
    const leaf: Measure = { depth: 1, aliases, cost: 1 };
    const type = META_FIELDS[name]?.type ?? ('getFields' in parent ? parent.getFields()[name]?.type : undefined);
    if (type === undefined || field.selectionSet === undefined) return leaf;
    const target = getNamedType(type);
    if (!isCompositeType(target)) return leaf;
    const isList = isListType(isNonNullType(type) ? type.ofType : type);
    const isConnection = target.name.endsWith('Connection');
    const inner = ofSelection(field.selectionSet, target, isConnection);
    const times = lengthOf(field, isList, isConnection, inConnection);
    return {
      depth: inner.depth + 1,
      aliases: inner.aliases + aliases,
      cost: 1 + times * inner.cost,
    };
  };

  const root = schema.getRootType(operation.operation);
  if (root == null) return [];
  const { depth, aliases, cost } = ofSelection(operation.selectionSet, root, false);
  const fields = fieldsOf(document, operation);
  const errors: GraphQLError[] = [];
  if (depth > limits.maxDepth) errors.push(exceeded('depth', depth, limits.maxDepth));
  if (aliases > limits.maxAliases) errors.push(exceeded('number of aliases', aliases, limits.maxAliases));
  if (fields > limits.maxFields) errors.push(exceeded('number of fields', fields, limits.maxFields));
  if (cost > limits.maxCost) errors.push(exceeded('cost', cost, limits.maxCost));
  return errors;
}
