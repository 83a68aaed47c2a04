import { type GraphQLSchema, isAbstractType, isObjectType } from 'graphql';

/** Type questions that plans ask at run time, answered from the whole supergraph (what is `@inaccessible` included). */
export class TypeIndex {
  readonly #schema: GraphQLSchema;
  readonly #answers = new Map<string, boolean>();

  constructor(supergraph: GraphQLSchema) {
    this.#schema = supergraph;
  }

  isObject(typeName: string): boolean {
    return isObjectType(this.#schema.getType(typeName));
  }

  /** Whether an object of `typeName` satisfies the type condition. The answers are finite: both names come from the supergraph. */
  satisfies(typeName: string, condition: string): boolean {
    if (typeName === condition) return true;
    const key = `${typeName} ${condition}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      const abstract = this.#schema.getType(condition);
      const object = this.#schema.getType(typeName);
      // A remote subgraph may answer any name: unknown ones are not remembered.
      if (object === undefined || abstract === undefined) return false;
      answer = isAbstractType(abstract) && isObjectType(object) && this.#schema.isSubType(abstract, object);
      this.#answers.set(key, answer);
    }
    return answer;
  }
}
