import { getDocumentNodeFromSchema, MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  type GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  isInterfaceType,
  isObjectType,
  isSpecifiedDirective,
  Kind,
  print,
  visit,
} from 'graphql';
import type { JsonObject, MaybePromise } from './engine.ts';
import { isPromise } from './maybe-promise.ts';

/** What another subgraph knows of an entity: its `__typename`, its key fields, and fields that `@requires` names. */
export type EntityReference = JsonObject & { readonly __typename: string };

/** Finds the entity that a reference means; null when there is none. Called for all references of a request at once, so a batch loader sees them together. */
export type ReferenceResolver<Context> = (
  reference: EntityReference,
  context: Context,
  info: GraphQLResolveInfo,
) => unknown;

export interface SubgraphOptions<Context> {
  /** By entity type (or entity interface). A type without one resolves to the reference itself. */
  readonly references: Readonly<Record<string, ReferenceResolver<Context>>>;
  /** Federation specification version; 2.5 when left out. */
  readonly federationVersion?: string;
}

export interface Subgraph {
  /** The schema with `_service` and `_entities`, as federation routers call it. */
  readonly schema: GraphQLSchema;
  /** What `_service { sdl }` answers: the schema with its federation directives, without the machinery. */
  readonly sdl: string;
}

const FEDERATION_DIRECTIVES: ReadonlySet<string> = new Set([
  'key',
  'requires',
  'provides',
  'external',
  'shareable',
  'override',
  'tag',
  'inaccessible',
  'interfaceObject',
  'extends',
  'authenticated',
  'requiresScopes',
  'policy',
  'composeDirective',
  'cost',
  'listSize',
]);

/**
 * Makes an executable schema whose type definitions carry federation directives (in their AST nodes, as type-graphql's
 * `@Directive` puts them) into a Federation v2 subgraph (subgraph specification: `_service`, `_entities`, `_Any`,
 * `_Entity`). Entities are the object types with a resolvable `@key`. A reference that cannot be resolved is null at
 * its place with an error there; its neighbours are not touched.
 */
export function createSubgraph<Context>(schema: GraphQLSchema, options: SubgraphOptions<Context>): Subgraph {
  const sdl = subgraphSdl(schema, options.federationVersion ?? '2.5');
  const entities = Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && hasResolvableKey(type.astNode?.directives),
  );
  const service = new GraphQLObjectType({
    name: '_Service',
    fields: { sdl: { type: GraphQLString, resolve: () => sdl } },
  });
  const any = new GraphQLScalarType({ name: '_Any' });
  const typeNames = new WeakMap<object, string>();
  const entity = new GraphQLUnionType({
    name: '_Entity',
    types: entities,
    resolveType: (value: object) => typeNames.get(value),
  });
  const extended = mapSchema(schema, {
    [MapperKind.QUERY]: (type) => {
      const config = type.toConfig();
      config.fields._service = { type: new GraphQLNonNull(service), resolve: () => ({}) };
      if (entities.length > 0) {
        config.fields._entities = {
          type: new GraphQLNonNull(new GraphQLList(entity)),
          args: {
            representations: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(any))) },
          },
          resolve: (_source, { representations }: { representations: unknown[] }, context: Context, info) =>
            resolveAll(representations, (reference) => resolveReference(reference, context, info)),
        };
      }
      return new GraphQLObjectType(config);
    },
  });
  return { schema: extended, sdl };

  function resolveReference(reference: unknown, context: Context, info: GraphQLResolveInfo): MaybePromise<unknown> {
    const typeName = (reference as JsonObject | null)?.__typename;
    if (typeof typeName !== 'string') {
      throw new GraphQLError('A representation must be an object with a __typename.', { extensions: BAD_REFERENCE });
    }
    const type = info.schema.getType(typeName);
    const known = isObjectType(type) || isInterfaceType(type);
    if (!known || !hasResolvableKey(type.astNode?.directives)) {
      throw new GraphQLError(`"${typeName}" is not an entity of this subgraph.`, { extensions: BAD_REFERENCE });
    }
    const resolver = options.references[typeName];
    const found = resolver === undefined ? reference : resolver(reference as EntityReference, context, info);
    return isPromise(found) ? found.then((value) => named(value)) : named(found);

    function named(value: unknown): MaybePromise<unknown> {
      if (value === null || typeof value !== 'object' || value instanceof Error) return value;
      const concrete = concreteName(value, typeName as string, context, info);
      const remember = (name: string | undefined) => {
        if (name !== undefined) typeNames.set(value, name);
        return value;
      };
      return isPromise(concrete) ? concrete.then(remember) : remember(concrete);
    }
  }
}

const BAD_REFERENCE = { code: 'INVALID_INPUT' };

/** The object type of what was found: an entity interface decides through its own `resolveType`. */
function concreteName(
  value: object,
  typeName: string,
  context: unknown,
  info: GraphQLResolveInfo,
): MaybePromise<string | undefined> {
  const type = info.schema.getType(typeName);
  if (!isInterfaceType(type)) return typeName;
  return type.resolveType?.(value, context, info, type) ?? ((value as JsonObject).__typename as string | undefined);
}

/** Every reference on its own, all started before any is awaited; a failure becomes an Error in the list, which execution reports at its index. */
function resolveAll(references: unknown[], resolve: (reference: unknown) => MaybePromise<unknown>) {
  let pending = false;
  const results = references.map((reference): MaybePromise<unknown> => {
    try {
      const result = resolve(reference);
      if (!isPromise(result)) return result;
      pending = true;
      return result.catch(asError);
    } catch (thrown) {
      return asError(thrown);
    }
  });
  return pending ? Promise.all(results) : results;
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function hasResolvableKey(directives: readonly DirectiveNode[] | undefined): boolean {
  return (directives ?? []).some((directive) => {
    if (directive.name.value !== 'key') return false;
    const resolvable = directive.arguments?.find((argument) => argument.name.value === 'resolvable')?.value;
    return !(resolvable?.kind === Kind.BOOLEAN && !resolvable.value);
  });
}

function subgraphSdl(schema: GraphQLSchema, version: string): string {
  const document = getDocumentNodeFromSchema(schema);
  const used = new Set<string>();
  visit(document, { Directive: (directive) => void used.add(directive.name.value) });
  const imports = [...used].filter((name) => FEDERATION_DIRECTIVES.has(name)).sort();
  const list = imports.map((name) => `"@${name}"`).join(', ');
  const link = `@link(url: "https://specs.apollo.dev/federation/v${version}", import: [${list}])`;
  const own = document.definitions.filter(
    (definition) =>
      definition.kind !== Kind.SCHEMA_DEFINITION &&
      definition.kind !== Kind.SCHEMA_EXTENSION &&
      !(definition.kind === Kind.DIRECTIVE_DEFINITION && isMachinery(definition.name.value)),
  );
  return `${schemaHead(schema, link)}\n\n${print({ kind: Kind.DOCUMENT, definitions: own } satisfies DocumentNode)}\n`;
}

const isMachinery = (directive: string): boolean =>
  FEDERATION_DIRECTIVES.has(directive) || directive === 'link' || isSpecifiedDirective({ name: directive } as never);

/** Root types of other names than Query, Mutation and Subscription have to be declared. */
function schemaHead(schema: GraphQLSchema, link: string): string {
  const roots = [
    ['query', 'Query', schema.getQueryType()?.name],
    ['mutation', 'Mutation', schema.getMutationType()?.name],
    ['subscription', 'Subscription', schema.getSubscriptionType()?.name],
  ] as const;
  const present = roots.filter(([, , name]) => name !== undefined);
  if (present.every(([, usual, name]) => usual === name)) return `extend schema ${link}`;
  return `schema ${link} {\n${present.map(([operation, , name]) => `  ${operation}: ${name}`).join('\n')}\n}`;
}
