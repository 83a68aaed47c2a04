import {
  type ASTNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

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
  'Review.strict': 'field that may bubble null',
  'Address.city': 'field that may bubble null',
  'Studio.label': 'field that may bubble null',
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
        const type = info.getType();
        if (type != null && isEnumType(getNamedType(type))) found.add('field of an enum');
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
      Argument: () => {
        const type = info.getInputType();
        if (type != null && isEnumType(getNamedType(type))) found.add('argument of an enum');
      },
      Directive: (node) => void found.add(`@${node.name.value}`),
      ObjectField: () => {
        if (info.getParentInputType() !== undefined) found.add('input object (intersection of subgraphs)');
      },
    }),
  );
  countConditions(document, found);
  return found;
}

function countConditions(document: DocumentNode, found: Set<string>): void {
  /** The inline fragments with conditions that are around. */
  const around: ASTNode[] = [];
  visit(document, {
    enter(node) {
      if (!('directives' in node) || !node.directives?.length) return;
      if (node.directives.length > 1) found.add('several conditions on one selection');
      if (around.length > 0) found.add('condition below the condition of a fragment');
      if (node.kind === Kind.INLINE_FRAGMENT) around.push(node);
    },
    leave(node) {
      if (around.at(-1) === node) around.pop();
    },
  });
}

/** What a result has that only running the operation shows. */
export function outcomesOf({ data, errors = [] }: ExecutionResult): Set<string> {
  const found = new Set<string>();
  if (errors.length > 1) found.add('several errors');
  for (const { path = [] } of errors) {
    if (path.some((key) => typeof key === 'number')) found.add('error path with list indexes');
    let value: unknown = data;
    const known = path.findIndex((key) => {
      if (value === null || value === undefined) return true;
      value = (value as Record<string | number, unknown>)[key];
      return false;
    });
    if (known >= 0) found.add('null that bubbled');
  }
  return found;
}
