import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import type { LoadOptions } from '../../registry/transfer/load.ts';
import type { GraphQLContext } from '../context.ts';
import { LoadRecordsInput } from '../inputs/transfer.ts';
import { ExportPage, LoadResult } from '../types/transfer.ts';

/** The whole registry out and in, as `rollcall export` and `rollcall load` do it. */
@Resolver()
export class TransferResolver {
  @Query(() => ExportPage, {
    description: 'The registry as records, a page at a time: all providers, and the agents that you may see.',
  })
  exportRecords(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('first', () => Int, { nullable: true, description: 'Records per page, 1 to 200; default 20.' })
    first: number | null,
    @Arg('after', () => String, { nullable: true, description: '`next` of the page before.' }) after: string | null,
  ) {
    return core.registry.exportRecords(principal, { first, after });
  }

  @Mutation(() => LoadResult, {
    description: 'Loads records of an export with the ids, owners and times that they carry, all or none.',
  })
  loadRecords(
    @Ctx() { core, principal }: GraphQLContext,
    @Arg('input', () => LoadRecordsInput) input: LoadRecordsInput,
  ) {
    return core.registry.loadRecords(principal, input.records, {
      onConflict: input.onConflict as LoadOptions['onConflict'],
      dryRun: input.dryRun,
    });
  }
}
