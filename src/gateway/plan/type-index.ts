import { type GraphQLSchema, isAbstractType, isObjectType } from 'graphql';

/** Type questions that plans ask at run time, answered from the whole supergraph (what is `@inaccessible` included). */
export class TypeIndex {
  readonly supergraph: GraphQLSchema;
  readonly #answers = new Map<string, boolean>();

  constructor(supergraph: GraphQLSchema) {
    this.supergraph = supergraph;
  }

  isObject(typeName: string): boolean {
    return isObjectType(this.supergraph.getType(typeName));
  }

  /** Whether an object of `typeName` satisfies the type condition. The answers are finite: both names come from the supergraph. */
  satisfies(typeName: string, condition: string): boolean {
    if (typeName === condition) return true;
    const key = `${typeName} ${condition}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      const abstract = this.supergraph.getType(condition);
      const object = this.supergraph.getType(typeName);
      // A remote subgraph may answer any name: unknown ones are not remembered.
      if (object === undefined || abstract === undefined) return false;
      answer = isAbstractType(abstract) && isObjectType(object) && this.supergraph.isSubType(abstract, object);
      this.#answers.set(key, answer);
    }
    return answer;
  }
}
