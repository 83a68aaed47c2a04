import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { Choices } from './choices.ts';

export interface GeneratedOperation {
  readonly source: string;
  readonly variables: Record<string, unknown>;
  readonly operationType: 'query' | 'mutation';
}

/** Values by argument name that hit records of the test world, and some that hit nothing. */
export type ArgumentPool = Readonly<Record<string, readonly unknown[]>>;

const MAX_DEPTH = 5;

/** A random operation over a schema: nearly always valid; what is not is for the caller to leave out. */
export function generateOperation(
  schema: GraphQLSchema,
  tape: readonly number[],
  pool: ArgumentPool,
): GeneratedOperation {
  const choices = new Choices(tape);
  const definitions: string[] = [];
  const variables: Record<string, unknown> = {};
  const fragments: string[] = [];
  const conditions: string[] = [];
  let names = 0;
  /** How many fragments with a condition are around. */
  let conditional = 0;

  const isMutation = choices.chance(12);
  const root = (isMutation ? schema.getMutationType() : schema.getQueryType()) as GraphQLObjectType;
  const body = selectionSet(root, 0);
  const head = definitions.length > 0 ? ` Op(${definitions.join(', ')})` : ' Op';
  return {
    source: `${isMutation ? 'mutation' : 'query'}${head} ${body}${fragments.length > 0 ? `\n${fragments.join('\n')}` : ''}`,
    variables,
    operationType: isMutation ? 'mutation' : 'query',
  };

  function selectionSet(type: GraphQLNamedType, depth: number): string {
    const selections: string[] = [];
    const count = 1 + choices.number(depth < 2 ? 4 : 3);
    for (let i = 0; i < count; i++) selections.push(...selection(type, depth));
    if (choices.chance(12)) selections.push(choices.chance(30) ? `alias${names++}: __typename` : '__typename');
    if (selections.length === 0) selections.push('__typename');
    return `{ ${selections.join(' ')} }`;
  }

  function selection(type: GraphQLNamedType, depth: number): string[] {
    if (isAbstractType(type) && (!isInterfaceType(type) || choices.chance(40))) {
      const possible = schema.getPossibleTypes(type);
      return [fragment(choices.pick(possible), depth)];
    }
    if (isObjectType(type) && choices.chance(6)) return [fragment(type, depth)];
    if (!isObjectType(type) && !isInterfaceType(type)) return [];
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < MAX_DEPTH || !isCompositeType(getNamedType(field.type)),
    );
    return fields.length === 0 ? [] : [fieldOf(choices.pick(fields), type, depth)];
  }

  function fragment(type: GraphQLObjectType, depth: number): string {
    const condition = directive();
    // What stands under a condition often has conditions of its own.
    if (condition !== '') conditional++;
    const inner = selectionSet(type, depth);
    if (condition !== '') conditional--;
    if (!choices.chance(20)) return `... on ${type.name}${condition} ${inner}`;
    const name = `F${names++}`;
    fragments.push(`fragment ${name} on ${type.name} ${inner}`);
    return `...${name}${condition}`;
  }

  function fieldOf(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType, depth: number): string {
    const named = getNamedType(field.type);
    const given = field.args.flatMap((argument) => argumentOf(argument));
    const condition = directive();
    const inner = isCompositeType(named) ? ` ${selectionSet(named, depth + 1)}` : '';
    return `${aliasOf(field, parent, given.length > 0)}${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''}${condition}${inner}`;
  }

  function aliasOf(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType, hasArguments: boolean): string {
    // Another field's name as alias: what plans read for themselves must not be overwritten by it.
    if (choices.chance(5) && (isObjectType(parent) || isInterfaceType(parent))) {
      return `${choices.pick(Object.keys(parent.getFields()))}: `;
    }
    return hasArguments || choices.chance(20) || field.args.length > 0 ? `alias${names++}: ` : '';
  }

  function directive(): string {
    if (!choices.chance(conditional > 0 ? 40 : 10)) return '';
    const [name, other] = choices.chance(50) ? ['skip', 'include'] : ['include', 'skip'];
    return choices.chance(25) ? `${conditionOf(name!)}${conditionOf(other!)}` : conditionOf(name!);
  }

  function conditionOf(name: string): string {
    if (choices.chance(25)) return ` @${name}(if: ${choices.chance(50)})`;
    // One variable in several places makes conditions that are the same, or that exclude each other.
    if (conditions.length > 0 && choices.chance(40)) return ` @${name}(if: $${choices.pick(conditions)})`;
    const own = variable('Boolean!', choices.chance(50), undefined);
    conditions.push(own);
    return ` @${name}(if: $${own})`;
  }

  function variable(type: string, value: unknown, fallback: string | undefined): string {
    const name = `v${names++}`;
    definitions.push(`$${name}: ${type}${fallback === undefined ? '' : ` = ${fallback}`}`);
    if (value !== undefined) variables[name] = value;
    return name;
  }

  function argumentOf(argument: GraphQLArgument): string[] {
    const required = isNonNullType(argument.type) && argument.defaultValue === undefined;
    if (!required && choices.chance(50)) return [];
    const value = inputValue(argument.type, argument.name);
    if (!choices.chance(45)) return [`${argument.name}: ${literal(value, argument.type)}`];
    const byDefault = choices.chance(30) && !isNonNullType(argument.type) ? literal(value, argument.type) : undefined;
    const given = !required && choices.chance(30) ? undefined : value;
    return [`${argument.name}: $${variable(String(argument.type), given, byDefault)}`];
  }

  function inputValue(type: GraphQLInputType, name: string): unknown {
    if (isNonNullType(type)) return inputValue(type.ofType, name);
    if (isListType(type)) return [inputValue(type.ofType, name)];
    if (isEnumType(type)) return choices.pick(type.getValues()).name;
    if (!isInputObjectType(type)) return choices.pick(pool[name] ?? [null]);
    const object: Record<string, unknown> = {};
    for (const field of Object.values(type.getFields())) {
      if (isNonNullType(field.type) || choices.chance(50)) object[field.name] = inputValue(field.type, field.name);
    }
    return object;
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (Array.isArray(value) && isListType(type))
    return `[${value.map((item) => literal(item, type.ofType)).join(', ')}]`;
  if (isEnumType(type) && typeof value === 'string') return value;
  if (value !== null && typeof value === 'object' && isInputObjectType(type)) {
    const fields = type.getFields();
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${literal(inner, fields[key]!.type)}`)
      .join(', ')} }`;
  }
  return JSON.stringify(value);
}
