import { type FieldNode, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';

const PREFIX = '_client_';

/**
 * Keeps the client's aliases apart from the fields that a plan adds for itself. Plans read keys and required fields
 * of an entity under the fields' own names, next to what the client asked for: with `{ agents { id: name } }` the
 * planner would put the name over the very id that the next fetch needs. So an alias that is also a field name travels
 * under another one, and only the finished response has the client's.
 */
export class ClientKeys {
  readonly #fieldNames = new Set<string>(['__typename', 'representations']);

  constructor(supergraph: GraphQLSchema) {
    for (const type of Object.values(supergraph.getTypeMap())) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const name of Object.keys(type.getFields())) this.#fieldNames.add(name);
    }
  }

  /** The key under which subgraphs answer a field. */
  sourceKey(field: FieldNode): string {
    // Under an alias the planner takes the type for known where it is not.
    if (field.name.value === '__typename') return '__typename';
    const alias = field.alias?.value;
    if (alias === undefined || alias === field.name.value) return field.name.value;
    return this.#fieldNames.has(alias) || alias.startsWith('_') ? PREFIX + alias : alias;
  }
}

/** A path in the data as the client knows it. */
export const toClientPath = (path: readonly (string | number)[]): (string | number)[] =>
  path.map((key) => (typeof key === 'string' && key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key));
