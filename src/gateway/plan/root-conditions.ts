import { type DocumentNode, type GraphQLObjectType, Kind } from 'graphql';
import { collectFields, type Included } from '../complete/collect.ts';
import type { AskedFor } from '../complete/explain.ts';
import type { TypeIndex } from './type-index.ts';

/**
 * When a root field is wanted at all. Planned documents may ask for more than the client does; that must not reach
 * the fields of a mutation.
 */
export function rootConditions(
  root: GraphQLObjectType,
  asked: AskedFor,
  types: TypeIndex,
): (part: DocumentNode) => Included {
  const { operation, fragments, sourceKey } = asked;
  const fields = collectFields(root, [{ selectionSet: operation.selectionSet, included: null }], {
    fragments,
    satisfies: (typeName, condition) => types.satisfies(typeName, condition),
  });
  return (part) => {
    const [definition] = part.definitions;
    const selections = definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
    const sourceKeys = new Set(
      selections.map((field) => field.kind === Kind.FIELD && (field.alias ?? field.name).value),
    );
    const places = fields.filter(({ node }) => sourceKeys.has(sourceKey(node)));
    if (places.some(({ included }) => included === null)) return null;
    return (variables) => places.some(({ included }) => included?.(variables) === true);
  };
}
