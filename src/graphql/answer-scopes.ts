import {
  type FieldNode,
  type FragmentSpreadNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  type InlineFragmentNode,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Scope } from '../auth/principal.ts';
import { requireScope } from '../registry/visibility.ts';
import type { GraphQLContext } from './context.ts';

/**
 * Fields that need a scope of their own, wherever they stand: what they show is a reading, and not the thing itself that
 * a mutation answers.
 */
export const FIELD_SCOPES: Readonly<Record<string, Scope>> = {
  'Agent.tasks': 'tasks:read',
  'CardPreview.registered': 'registry:read',
  'Deployment.agent': 'registry:read',
  'Provider.agents': 'registry:read',
  'Skill.agent': 'registry:read',
  'Task.agent': 'registry:read',
  'Task.artifacts': 'tasks:read',
  'Task.history': 'tasks:read',
  'Task.pushNotificationConfigs': 'tasks:read',
};

/**
 * Makes every mutation look at what is asked of its answer before it does anything: refused after its work, it would
 * look as if nothing had happened, and be repeated.
 */
export function requireAnswersFirst(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (resolve === undefined) continue;
    field.resolve = (source, args, context: GraphQLContext, info) => {
      for (const scope of new Set(scopesOf(info))) requireScope(context.principal, scope);
      return resolve(source, args, context, info);
    };
  }
}

/** The scopes that the selection of a field needs. */
function* scopesOf(info: GraphQLResolveInfo): Generator<Scope> {
  const { schema, fragments, variableValues } = info;
  const isIncluded = (node: FieldNode | FragmentSpreadNode | InlineFragmentNode): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;

  function* of(typeName: string, set: SelectionSetNode | undefined): Generator<Scope> {
    const type = schema.getType(typeName);
    for (const selection of set?.selections ?? []) {
      if (!isIncluded(selection)) continue;
      if (selection.kind !== Kind.FIELD) {
        const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection;
        yield* of(fragment?.typeCondition?.name.value ?? typeName, fragment?.selectionSet);
        continue;
      }
      const scope = FIELD_SCOPES[`${typeName}.${selection.name.value}`];
      if (scope !== undefined) yield scope;
      const field = isObjectType(type) ? type.getFields()[selection.name.value] : undefined;
      if (field !== undefined) yield* of(getNamedType(field.type).name, selection.selectionSet);
    }
  }
  for (const node of info.fieldNodes) yield* of(getNamedType(info.returnType).name, node.selectionSet);
}
