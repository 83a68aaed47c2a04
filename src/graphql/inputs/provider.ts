import { Field, ID, InputType, Int } from 'type-graphql';

const optional = { nullable: true } as const;

@InputType({ description: 'A change of a provider: what is left out stays; null clears the url.' })
export class UpdateProviderInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;

  @Field(() => String, optional)
  name?: string | null;

  @Field(() => String, optional)
  url?: string | null;
}

@InputType()
export class DeleteProviderInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;
}
