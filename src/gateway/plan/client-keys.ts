import { type FieldNode, type GraphQLSchema, isInterfaceType, isObjectType, visit } from 'graphql';
import { requirementsOf } from './required-inputs.ts';

const PREFIX = '_client_';

/**
 * Keeps the client's aliases apart from the fields that a plan adds for itself. Plans read keys and required fields
 * of an entity under the fields' own names, next to what the client asked for: with `{ agents { id: name } }` the
 * planner would put the name over the very id that the next fetch needs. So an alias that is also a field name travels
 * under another one, and only the finished response has the client's. So does every field that some `@requires` names
 * with arguments: with others of the client's, the planner (0.0.38) may find no way to tell the two apart.
 */
export class ClientKeys {
  readonly #fieldNames = new Set<string>(['__typename', 'representations']);
  readonly #requiredWithArguments = new Set<string>();

  constructor(supergraph: GraphQLSchema) {
    for (const type of Object.values(supergraph.getTypeMap())) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const name of Object.keys(type.getFields())) this.#fieldNames.add(name);
    }
    for (const fields of requirementsOf(supergraph).values()) {
      for (const requires of fields.values()) {
        visit(requires, {
          Field: ({ name, arguments: given }) => void (given?.length && this.#requiredWithArguments.add(name.value)),
        });
      }
    }
  }

  /** The key under which subgraphs answer a field. */
  sourceKey(field: FieldNode): string {
    // Under an alias the planner takes the type for known where it is not.
    if (field.name.value === '__typename') return '__typename';
    const name = field.name.value;
    const alias = field.alias?.value ?? name;
    if (this.#requiredWithArguments.has(name)) return PREFIX + alias;
    if (alias === name) return name;
    return this.#fieldNames.has(alias) || alias.startsWith('_') ? PREFIX + alias : alias;
  }
}

/** A path in the data as the client knows it. */
export const toClientPath = (path: readonly (string | number)[]): (string | number)[] =>
  path.map((key) => (typeof key === 'string' && key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key));
