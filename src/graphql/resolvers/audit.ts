import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql';
import type { AuditFilter } from '../../registry/audit/list.ts';
import type { GraphQLContext } from '../context.ts';
import { AuditEntryConnection, AuditFilterInput } from '../types/audit.ts';
import { toConnection } from '../types/connection.ts';

@Resolver()
export class AuditResolver {
  @Query(() => AuditEntryConnection, {
    description: 'What was changed and what was refused, newest first. Needs the scope admin.',
  })
  async auditLog(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('filter', () => AuditFilterInput, { nullable: true }) filter: AuditFilter | null,
    @Arg('first', () => Int, { nullable: true, description: 'Items per page, 1 to 200; default 20.' })
    first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'endCursor of the page before.' }) after: string | null,
  ) {
    return toConnection(await core.registry.auditLog(principal, { filter, first, after }), after);
  }
}
