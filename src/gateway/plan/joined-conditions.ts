import { type DirectiveNode, Kind, type VariableDefinitionNode } from 'graphql';
import { NEVER } from '../complete/collect.ts';
import type { JsonObject } from '../engine.ts';

/** What a variable has to be for something to be included. */
interface Condition {
  readonly variable: string;
  readonly wanted: boolean;
}

/** A variable that is computed of others, which may be computed themselves: those come before it. */
interface Computed {
  readonly how: 'all' | 'any';
  readonly of: readonly Condition[];
}

const NON_NULL_BOOLEAN = {
  kind: Kind.NON_NULL_TYPE,
  type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'Boolean' } },
} as const;

const directive = (name: 'include' | 'skip', variable: string): DirectiveNode => ({
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: name },
  arguments: [
    {
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: 'if' },
      value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
    },
  ],
});

/**
 * The conditions of one document, where several become a single one, on a Boolean variable that is computed of theirs.
 * The planner (0.0.38) keeps only one of all that a field and the fragments around it have; and where fields of several
 * subgraphs stand under one condition, only that of the fields which it fetches later. So no two fields of different
 * homes (the subgraphs that resolve them) have a variable in common.
 */
export class JoinedConditions {
  readonly #taken: ReadonlySet<string>;
  readonly #byKey = new Map<string, string>();
  readonly #computed = new Map<string, Computed>();
  /** By condition, the home of the fields that have it as the client wrote it. */
  readonly #firstHome = new Map<string, string>();

  /** @param taken names of the operation's own variables. */
  constructor(taken: ReadonlySet<string>) {
    this.#taken = taken;
  }

  /** Whether these exclude everything. */
  exclude(directives: readonly DirectiveNode[]): boolean {
    return this.#wantedBy(directives) === NEVER;
  }

  /** One directive, or none, that holds where all of these do; `NEVER` where they exclude everything. */
  all(directives: readonly DirectiveNode[], home: string): readonly DirectiveNode[] | typeof NEVER {
    const wanted = this.#wantedBy(directives);
    return wanted === NEVER ? NEVER : this.#directives('all', wanted, home);
  }

  /** One directive, or none, that holds where those of one place do; each place has one at most. */
  any(places: readonly (readonly DirectiveNode[] | undefined)[], home: string): readonly DirectiveNode[] {
    const wanted = new Map<string, boolean>();
    for (const [only] of places.map((directives) => directives ?? [])) {
      const value = only?.arguments?.[0]?.value;
      if (value?.kind !== Kind.VARIABLE) return [];
      const [variable, includes] = [value.name.value, only!.name.value === 'include'];
      if (wanted.get(variable) === !includes) return [];
      wanted.set(variable, includes);
    }
    return this.#directives('any', wanted, home);
  }

  /** What the document has to declare. */
  get definitions(): VariableDefinitionNode[] {
    return [...this.#computed.keys()].map((variable) => ({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
      type: NON_NULL_BOOLEAN,
    }));
  }

  /** The operation's variables with the computed ones. */
  computed(variables: JsonObject): JsonObject {
    if (this.#computed.size === 0) return variables;
    const result = { ...variables };
    const holds = ({ variable, wanted }: Condition): boolean => (result[variable] === true) === wanted;
    for (const [variable, { how, of }] of this.#computed)
      result[variable] = how === 'all' ? of.every(holds) : of.some(holds);
    return result;
  }

  #wantedBy(directives: readonly DirectiveNode[]): ReadonlyMap<string, boolean> | typeof NEVER {
    const wanted = new Map<string, boolean>();
    for (const { name, arguments: given } of directives) {
      if (name.value !== 'include' && name.value !== 'skip') continue;
      const includes = name.value === 'include';
      const value = given?.[0]?.value;
      if (value?.kind === Kind.BOOLEAN && value.value !== includes) return NEVER;
      if (value?.kind !== Kind.VARIABLE) continue;
      const variable = value.name.value;
      const known = this.#computed.get(variable);
      for (const condition of known?.how === 'all' ? known.of : [{ variable, wanted: includes }]) {
        if (wanted.get(condition.variable) === !condition.wanted) return NEVER;
        wanted.set(condition.variable, condition.wanted);
      }
    }
    return wanted;
  }

  #directives(how: Computed['how'], wanted: ReadonlyMap<string, boolean>, home: string): readonly DirectiveNode[] {
    if (wanted.size === 0) return [];
    const entries = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
    const [variable, includes] = entries[0]!;
    if (entries.length === 1 && this.#isFirst(variable, home))
      return [directive(includes ? 'include' : 'skip', variable)];
    return [directive('include', this.#variableOf(how, entries, home))];
  }

  #isFirst(variable: string, home: string): boolean {
    const first = this.#firstHome.get(variable) ?? home;
    this.#firstHome.set(variable, first);
    return first === home;
  }

  #variableOf(how: Computed['how'], entries: readonly [string, boolean][], home: string): string {
    const key = JSON.stringify([how, entries, home]);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    let variable = `wanted_${this.#byKey.size}`;
    while (this.#taken.has(variable)) variable += '_';
    this.#byKey.set(key, variable);
    this.#computed.set(variable, { how, of: entries.map(([name, wanted]) => ({ variable: name, wanted })) });
    return variable;
  }
}
