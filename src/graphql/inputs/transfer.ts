import { Field, InputType } from 'type-graphql';
import { Json } from '../scalars.ts';
import { OnConflictEnum } from '../types/transfer.ts';

@InputType({ description: 'Records to load, all or none. Needs the scope admin.' })
export class LoadRecordsInput {
  @Field(() => [Json], { description: 'As exportRecords gives them; 1,000 at most.' })
  records!: unknown[];

  @Field(() => OnConflictEnum, { nullable: true, description: 'Default FAIL.' })
  onConflict?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Find every problem, and leave everything as it is.' })
  dryRun?: boolean | null;
}
