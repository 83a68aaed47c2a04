import type { DocumentNode, GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { GatewayContext } from '../engine.ts';
import { KeptDocuments } from '../kept-documents.ts';
import { type SelectedOperation, selectOperation } from '../operation.ts';
import type { Allowed, Prepare, Run } from '../prepare-operation.ts';
import { isMet, type Requirement, type Requirements, refusalOf } from './requirements.ts';
import { WithheldFields } from './withheld.ts';

/**
 * Prepares operations with what the supergraph asks of callers (`@authenticated`, `@requiresScopes`, `@policy`), for
 * every subgraph alike. What a caller may not have is never fetched; its place in the answer is null, or bubbles up,
 * with an error there. Operations that touch nothing of the kind cost nothing.
 */
export function authorizing(schema: GraphQLSchema, requirements: Requirements, prepare: Prepare): Prepare {
  const fields = new WithheldFields(schema, requirements);
  // Of all operations together: each takes as much memory as its operation, and of one operation there may be many.
  const variants = new KeptDocuments<Promise<Run>>();
  let operations = 0;
  return async (asked) => {
    const document = documentOf(asked);
    const needed = fields.of(document);
    const whole = await prepare(asked);
    if (needed.length === 0) return whole;
    const id = ++operations;
    return (request) => {
      const unmet = needed.filter((requirement) => !isMet(requirement, request.context));
      if (unmet.length === 0) return whole(request);
      const key = `${id} ${request.context.signedIn === true}\n${unmet.map(({ coordinate }) => coordinate).join('\n')}`;
      let variant = variants.get(key);
      if (variant === undefined) {
        variant = prepare(asked, allowedOf(fields, asked, unmet, request.context));
        variants.set(key, variant, document);
        variant.catch(() => variants.delete(key));
      }
      return variant.then((run) => run(request));
    };
  };
}

function allowedOf(
  fields: WithheldFields,
  asked: SelectedOperation,
  unmet: readonly Requirement[],
  context: GatewayContext,
): Allowed {
  const withheld = new Map(unmet.map((requirement) => [requirement.coordinate, requirement]));
  const { document, removed } = fields.without(documentOf(asked), withheld);
  const fetched = selectOperation(document, asked.operation.name?.value);
  if (fetched instanceof GraphQLError) throw fetched;
  const code = context.signedIn === true ? 'FORBIDDEN' : 'UNAUTHENTICATED';
  return {
    fetched,
    refusal(typeName, field) {
      const found =
        field === undefined
          ? withheld.get(typeName)
          : (removed.get(field) ?? fields.refusal(typeName, field.name.value, withheld));
      return found && { code, message: refusalOf(found, context) };
    },
  };
}

/** The operation alone: others of the same document are nobody's concern. */
const documentOf = ({ document, operation, fragments }: SelectedOperation): DocumentNode => ({
  ...document,
  definitions: [operation, ...Object.values(fragments)],
});
