import { Field, ID, InputType, Int } from 'type-graphql';
import { Json } from '../scalars.ts';

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

@InputType({ description: 'The keys that must sign the agent cards of a provider, instead of those before.' })
export class SetProviderCardKeysInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;

  @Field(() => [Json], {
    description: 'Public JSON Web Keys (EC, RSA or OKP), 20 at most. One without kid is named by its thumbprint.',
  })
  keys!: unknown[];
}

@InputType()
export class DeleteProviderInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;
}
