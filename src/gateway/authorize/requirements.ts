import { type ConstDirectiveNode, type ConstValueNode, Kind, type NameNode } from 'graphql';
import type { GatewayContext } from '../engine.ts';
import { type Supergraph, supergraphDocument } from '../supergraph.ts';

/** What a caller needs for a type or field: `@authenticated`, `@requiresScopes` and `@policy` (federation 2.5 and 2.6). */
export interface Requirement {
  /** `Type` or `Type.field`. */
  readonly coordinate: string;
  readonly signedIn: boolean;
  /** One of these sets, whole; empty where no scope is asked for. */
  readonly scopes: readonly (readonly string[])[];
  /** Policies are another router's: nobody is known to meet one here. */
  readonly policy: boolean;
}

/** The requirements of a supergraph, by coordinate. Empty for most. */
export type Requirements = ReadonlyMap<string, Requirement>;

interface Element {
  readonly name: NameNode;
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Reads the requirements that a supergraph states. */
export function readRequirements(supergraph: Supergraph): Requirements {
  const found = new Map<string, Requirement>();
  const take = (coordinate: string, { directives = [] }: Element): void => {
    const requirement = requirementOf(coordinate, directives);
    if (requirement !== undefined) found.set(coordinate, requirement);
  };
  for (const definition of supergraphDocument(supergraph).definitions) {
    switch (definition.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION:
        for (const field of definition.fields ?? []) take(`${definition.name.value}.${field.name.value}`, field);
        take(definition.name.value, definition);
        break;
      case Kind.SCALAR_TYPE_DEFINITION:
      case Kind.ENUM_TYPE_DEFINITION:
        take(definition.name.value, definition);
        break;
      default:
    }
  }
  return found;
}

function requirementOf(coordinate: string, directives: readonly ConstDirectiveNode[]): Requirement | undefined {
  const named = (name: string) => directives.find((directive) => directive.name.value === name);
  const scopes = named('requiresScopes');
  const policy = named('policy') !== undefined;
  const signedIn = named('authenticated') !== undefined || scopes !== undefined || policy;
  if (!signedIn) return undefined;
  const value = scopes?.arguments?.find(({ name }) => name.value === 'scopes')?.value;
  return { coordinate, signedIn, scopes: value === undefined ? [] : setsOf(value), policy };
}

const items = (value: ConstValueNode): readonly ConstValueNode[] => (value.kind === Kind.LIST ? value.values : [value]);
const setsOf = (value: ConstValueNode): string[][] =>
  items(value).map((set) => items(set).flatMap((scope) => (scope.kind === Kind.STRING ? [scope.value] : [])));

/** Whether a caller meets a requirement. Hosts that do not say who calls speak for nobody. */
export function isMet({ scopes, policy }: Requirement, { signedIn = false, holdsScope }: GatewayContext): boolean {
  if (!signedIn || policy) return false;
  return scopes.length === 0 || scopes.some((set) => set.every((scope) => holdsScope?.(scope) === true));
}

/** What to tell a caller who does not meet it. */
export function refusalOf({ coordinate, scopes, policy }: Requirement, context: GatewayContext): string {
  if (context.signedIn !== true) return `${coordinate}: sign in first.`;
  if (policy) return `${coordinate}: it stands under a policy that this gateway cannot evaluate.`;
  return `${coordinate}: the token needs the scopes ${scopes.map((set) => set.join(' and ')).join(', or ')}.`;
}
