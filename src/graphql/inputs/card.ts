import { Field, ID, InputType, Int } from 'type-graphql';
import { VisibilityEnum } from '../types/words.ts';
import { AuthenticationInput } from './agent.ts';

const optional = { nullable: true } as const;

@InputType({ description: 'An agent to import by its card.' })
export class ImportAgentInput {
  @Field(() => String, { description: 'Base URL of the agent, or the URL of its card.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'Made from the name when left out.' })
  handle?: string | null;

  @Field(() => VisibilityEnum, { nullable: true, description: 'Default INTERNAL.' })
  visibility?: string | null;

  @Field(() => AuthenticationInput, {
    nullable: true,
    description: 'How to sign in; its type is taken from the card when left out.',
  })
  authentication?: AuthenticationInput | null;

  @Field(() => [String], optional)
  capabilities?: string[] | null;

  @Field(() => String, { nullable: true, description: 'What it is: text (default), image, code, multimodal, …' })
  type?: string | null;

  @Field(() => Boolean, optional)
  retrySafe?: boolean | null;
}

@InputType()
export class RefreshAgentInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Boolean, { nullable: true, description: 'Store what changed. Without it the changes are only shown.' })
  apply?: boolean | null;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;
}
