import { type DocumentNode, type GraphQLSchema, isAbstractType, TypeInfo, visit, visitWithTypeInfo } from 'graphql';

/** What each field of the test world stands for. */
const BY_FIELD: Readonly<Record<string, string>> = {
  'Query.book': '@key: several',
  'Query.person': '@key: several',
  'Kit.available': '@key: composite and nested',
  'Book.shippingCost': '@requires: arguments',
  'Book.creatorLine': '@requires: fragments',
  'Review.author': '@provides',
  'Dimensions.weight': '@shareable',
  'Org.code': '@shareable',
  'Book.shelf': '@override',
  'Book.reviews': '@interfaceObject',
  'Film.reviews': '@interfaceObject',
  'Item.reviews': '@interfaceObject',
  'Review.item': '@interfaceObject',
  'Book.genre': '@inaccessible: enum value',
  'Book.price': '@external',
  'Query.failing': 'error thrown by a resolver',
  'Book.pages': 'error thrown by a resolver',
  'Review.strict': 'null bubbling',
  'Address.city': 'null bubbling',
  'Studio.label': 'null bubbling',
};

/** Every feature that a valid operation uses, once each. */
export function featuresOf(document: DocumentNode, schema: GraphQLSchema): Set<string> {
  const found = new Set<string>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      OperationDefinition: (node) => {
        if (node.operation === 'mutation') {
          found.add(node.selectionSet.selections.length > 1 ? 'mutations in order' : 'mutation');
        }
      },
      Field: (field) => {
        const parent = info.getParentType();
        if (parent == null) return;
        const feature = BY_FIELD[`${parent.name}.${field.name.value}`];
        if (feature !== undefined) found.add(feature);
        if (isAbstractType(parent)) found.add('field of an interface');
        if (field.alias !== undefined) {
          found.add('alias');
          if ('getFields' in parent && field.alias.value in parent.getFields())
            found.add("alias that is another field's name");
        }
        if (field.name.value === '__typename') found.add('__typename');
      },
      InlineFragment: () => {
        const parent = info.getParentType();
        found.add('inline fragment');
        if (parent != null && isAbstractType(parent) && !('getFields' in parent)) found.add('union');
      },
      FragmentSpread: () => void found.add('named fragment'),
      VariableDefinition: (node) =>
        void found.add(node.defaultValue === undefined ? 'variable' : 'variable with default'),
      Directive: (node) => void found.add(`@${node.name.value}`),
      ObjectField: () => {
        if (info.getParentInputType() !== undefined) found.add('input object (intersection of subgraphs)');
      },
    }),
  );
  return found;
}
