import { Field, Int, ObjectType } from 'type-graphql';
import { ON_CONFLICT } from '../../registry/transfer/load.ts';
import { enumOf } from '../enums.ts';
import { Json } from '../scalars.ts';

export const OnConflictEnum = enumOf(
  'OnConflict',
  'What to do with a record of something that is there.',
  ON_CONFLICT,
  {
    fail: 'Report it, and load nothing.',
    skip: 'Leave what is there.',
    update: 'Make what is there be as the record says.',
  },
);

@ObjectType({ simpleResolvers: true, description: 'Some records of an export of the registry, in its order.' })
export class ExportPage {
  @Field(() => [Json], { description: 'Providers by id, then agents by id. Credentials are never in them.' })
  records!: unknown[];

  @Field(() => String, { nullable: true, description: 'The `after` of the next page; null at the end.' })
  next!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'Why a record cannot be loaded.' })
export class LoadProblem {
  @Field(() => Int, { description: 'Place of the record in the list given, from 0.' })
  index!: number;

  @Field(() => String, { description: 'Path in the record: agent.skills[1].key' })
  field!: string;

  @Field(() => String)
  message!: string;
}

@ObjectType({ simpleResolvers: true, description: 'What a load did. With problems, nothing.' })
export class LoadResult {
  @Field(() => Int)
  created!: number;

  @Field(() => Int)
  updated!: number;

  @Field(() => Int)
  unchanged!: number;

  @Field(() => Int)
  skipped!: number;

  @Field(() => [String], { description: 'Handles of agents that ask for credentials and have none here.' })
  needCredentials!: string[];

  @Field(() => [LoadProblem], { description: 'The first 20.' })
  problems!: LoadProblem[];
}
