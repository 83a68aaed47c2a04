import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  visit,
} from 'graphql';
import type { JsonObject } from './engine.ts';

/** The operation to run out of a document, with what belongs to it. */
export interface SelectedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

/** Picks the operation (GraphQL §6.1, GetOperation) and refuses what no engine of ours may run. */
export function selectOperation(document: DocumentNode, name: string | undefined): SelectedOperation | GraphQLError {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const [operation, second] = name === undefined ? operations : operations.filter((o) => o.name?.value === name);
  if (operation === undefined) {
    return new GraphQLError(
      name === undefined ? 'The document has no operation.' : `Unknown operation named "${name}".`,
    );
  }
  if (second !== undefined)
    return new GraphQLError('Must provide operation name if query contains multiple operations.');
  // As a response key it would name an object's prototype in whatever reads the response.
  let forbidden = false;
  visit(document, {
    Field: (field) => {
      if (field.alias?.value === '__proto__') forbidden = true;
    },
  });
  return forbidden ? new GraphQLError('The alias "__proto__" is not allowed.') : { document, operation, fragments };
}

export type CoercedVariables =
  | { readonly variables: JsonObject; readonly errors?: undefined }
  | { readonly variables?: undefined; readonly errors: readonly GraphQLError[] };

/** Coerces variables (GraphQL §6.1.2) against the client-facing schema. */
export function coerceVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<JsonObject> | undefined,
): CoercedVariables {
  if (!operation.variableDefinitions?.length) return { variables: {} };
  const result = getVariableValues(schema, operation.variableDefinitions, variables ?? {}, { maxErrors: 50 });
  return result.coerced === undefined ? { errors: result.errors } : { variables: result.coerced };
}

/** An operation in two: what asks about the schema, and what asks for data. Either may be absent. */
export interface IntrospectionSplit {
  readonly introspection: DocumentNode | null;
  readonly data: DocumentNode | null;
}

const isIntrospection = (field: FieldNode): boolean => field.name.value === '__schema' || field.name.value === '__type';

/** `__schema` and `__type` are answered from the client-facing schema: subgraphs know only their own. */
export function splitIntrospection(selected: SelectedOperation): IntrospectionSplit {
  const { document, operation, fragments } = selected;
  if (operation.operation !== 'query') return { introspection: null, data: document };
  let introspective = 0;
  let others = 0;
  const keepIntrospection = (selections: readonly SelectionNode[]): SelectionNode[] =>
    selections.flatMap((selection): SelectionNode[] => {
      if (selection.kind === Kind.FIELD) {
        if (isIntrospection(selection)) {
          introspective++;
          return [selection];
        }
        if (selection.name.value !== '__typename') others++;
        return [];
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
      if (fragment === undefined) return [];
      const inner = keepIntrospection(fragment.selectionSet.selections);
      const { directives } = selection;
      return [{ kind: Kind.INLINE_FRAGMENT, ...(directives ? { directives } : {}), selectionSet: selectionSet(inner) }];
    });
  const kept = keepIntrospection(operation.selectionSet.selections);
  // Nothing but `__typename`: no subgraph has to be asked.
  if (introspective === 0) return { introspection: null, data: others === 0 ? null : document };
  return {
    introspection: documentOf({ ...operation, selectionSet: selectionSet(kept) }, Object.values(fragments)),
    data: others === 0 ? null : withoutIntrospection(selected),
  };
}

function withoutIntrospection({ operation, fragments }: SelectedOperation): DocumentNode {
  const inner = Object.values(fragments).filter((fragment) => !fragment.typeCondition.name.value.startsWith('__'));
  // A placeholder rather than nothing: a selection set may not be empty.
  return visit(documentOf(operation, inner), {
    Field: (field): FieldNode | undefined =>
      isIntrospection(field) ? { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } : undefined,
  });
}

const selectionSet = (selections: readonly SelectionNode[]) => ({ kind: Kind.SELECTION_SET, selections }) as const;

const documentOf = (
  operation: OperationDefinitionNode,
  fragments: readonly FragmentDefinitionNode[],
): DocumentNode => ({ kind: Kind.DOCUMENT, definitions: [operation, ...fragments] });
