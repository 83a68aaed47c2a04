import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DefinitionNode,
  type GraphQLSchema,
  Kind,
  type NameNode,
} from 'graphql';
import { type Supergraph, supergraphDocument } from './supergraph.ts';

interface Element {
  readonly name: NameNode;
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Directives that clients are told of; all others speak to composition and routers. */
const CLIENT_DIRECTIVES: ReadonlySet<string> = new Set(['deprecated', 'specifiedBy', 'oneOf']);

const isMachinery = (name: string): boolean => /^(join|link|core|federation)__/.test(name);

const isHidden = (element: Element): boolean =>
  isMachinery(element.name.value) || (element.directives ?? []).some(({ name }) => name.value === 'inaccessible');

/**
 * The client-facing schema of a supergraph: without the join and link machinery and without anything
 * `@inaccessible` (federation specification). The planner has one too, but with the introspection types written into
 * it as if they were the graph's own.
 */
export function buildApiSchema(supergraph: Supergraph): GraphQLSchema {
  const { definitions } = supergraphDocument(supergraph);
  const hiddenTypes = new Set(
    definitions.flatMap((definition) =>
      ('fields' in definition || 'types' in definition) && isHidden(definition) ? [definition.name.value] : [],
    ),
  );
  const isOpen = (node: { readonly name: NameNode }): boolean => !hiddenTypes.has(node.name.value);
  const clean = <T extends Element>(element: T): T => ({
    ...element,
    directives: (element.directives ?? []).filter(({ name }) => CLIENT_DIRECTIVES.has(name.value)),
  });
  const open = <T extends Element>(elements: readonly T[] | undefined): T[] =>
    (elements ?? []).filter((element) => !isHidden(element)).map(clean);

  const kept = definitions.flatMap((definition): DefinitionNode[] => {
    if (definition.kind === Kind.SCHEMA_DEFINITION) return [{ ...definition, directives: [] }];
    if (definition.kind === Kind.DIRECTIVE_DEFINITION || !('name' in definition) || definition.name === undefined)
      return [];
    if (isHidden(definition as Element)) return [];
    switch (definition.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION: {
        const fields = open(definition.fields).map((field) => ({ ...field, arguments: open(field.arguments) }));
        return [{ ...clean(definition), fields, interfaces: (definition.interfaces ?? []).filter(isOpen) }];
      }
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
        return [{ ...clean(definition), fields: open(definition.fields) }];
      case Kind.ENUM_TYPE_DEFINITION:
        return [{ ...clean(definition), values: open(definition.values) }];
      case Kind.UNION_TYPE_DEFINITION:
        return [{ ...clean(definition), types: (definition.types ?? []).filter(isOpen) }];
      case Kind.SCALAR_TYPE_DEFINITION:
        return [clean(definition)];
      default:
        return [];
    }
  });
  return buildASTSchema({ kind: Kind.DOCUMENT, definitions: kept }, { assumeValid: true, assumeValidSDL: true });
}
