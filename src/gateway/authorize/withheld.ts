import {
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Requirement, Requirements } from './requirements.ts';

/** Which requirements keep something of an operation from this caller; by coordinate. */
export type Withheld = ReadonlyMap<string, Requirement>;

/** What stands behind one operation's selections. */
export class WithheldFields {
  readonly #schema: GraphQLSchema;
  readonly #requirements: Requirements;

  constructor(schema: GraphQLSchema, requirements: Requirements) {
    this.#schema = schema;
    this.#requirements = requirements;
  }

  /** Every requirement that an answer to the operation might meet; most operations have none. */
  of(document: DocumentNode): Requirement[] {
    if (this.#requirements.size === 0) return [];
    const found = new Set<Requirement>();
    const add = (coordinate: string): void => {
      const requirement = this.#requirements.get(coordinate);
      if (requirement !== undefined) found.add(requirement);
    };
    this.#visit(document, (parent, field, returned) => {
      for (const type of this.#possible(parent)) add(`${type.name}.${field.name.value}`);
      for (const type of this.#possible(returned)) add(type.name);
    });
    return [...found];
  }

  /**
   * The operation without what is withheld, so that no subgraph is asked for it. What depends on an object's type at
   * run time is fetched with its type, and left out of the answer then. A requirement on an interface's field holds
   * where the field is asked of the interface: hence the fields that were removed, as the operation has them.
   */
  without(
    document: DocumentNode,
    withheld: Withheld,
  ): { readonly document: DocumentNode; readonly removed: ReadonlyMap<FieldNode, Requirement> } {
    const info = new TypeInfo(this.#schema);
    const removed = new Map<FieldNode, Requirement>();
    const rest: DocumentNode = visit(
      document,
      visitWithTypeInfo(info, {
        Field: {
          enter: (field) => {
            const parent = info.getParentType();
            const refusal = parent ? this.refusal(parent.name, field.name.value, withheld) : undefined;
            if (refusal === undefined) return undefined;
            removed.set(field, refusal);
            return null;
          },
        },
        SelectionSet: {
          leave: (node) => {
            const type = info.getParentType();
            const known = node.selections.some(
              (s) => s.kind === Kind.FIELD && s.name.value === '__typename' && !s.alias,
            );
            const depends = isAbstractType(type) && this.#possible(type).some(({ name }) => touches(withheld, name));
            if (node.selections.length > 0 && (known || !depends)) return undefined;
            return { ...node, selections: [...node.selections, TYPENAME] as SelectionNode[] };
          },
        },
      }),
    );
    return { document: rest, removed };
  }

  /** What keeps a field of a type from the caller: a requirement on the field, or on the type that it returns. */
  refusal(typeName: string, fieldName: string, withheld: Withheld): Requirement | undefined {
    const own = withheld.get(`${typeName}.${fieldName}`);
    if (own !== undefined) return own;
    const type = this.#schema.getType(typeName);
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
    return field && withheld.get(getNamedType(field.type).name);
  }

  #visit(
    document: DocumentNode,
    see: (parent: GraphQLNamedType, field: FieldNode, returned: GraphQLNamedType) => void,
  ): void {
    const info = new TypeInfo(this.#schema);
    visit(
      document,
      visitWithTypeInfo(info, {
        Field(field) {
          const [parent, type] = [info.getParentType(), info.getType()];
          if (parent && type) see(parent, field, getNamedType(type));
        },
      }),
    );
  }

  /** The type itself and, of an abstract one, what its values may be. */
  #possible(type: GraphQLNamedType): readonly GraphQLNamedType[] {
    return isAbstractType(type) ? [type, ...this.#schema.getPossibleTypes(type)] : [type];
  }
}

const touches = (withheld: Withheld, typeName: string): boolean =>
  [...withheld.keys()].some((coordinate) => coordinate === typeName || coordinate.startsWith(`${typeName}.`));

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
