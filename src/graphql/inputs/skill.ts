import { Field, ID, InputType, Int } from 'type-graphql';
import { SkillInput } from './agent.ts';

const optional = { nullable: true } as const;

@InputType({ description: 'Which skills: those of agents that you may see, and all of these conditions.' })
export class SkillFilterInput {
  @Field(() => ID, optional)
  agentId?: string | null;

  @Field(() => String, optional)
  key?: string | null;

  @Field(() => String, optional)
  tag?: string | null;
}

@InputType()
export class AddSkillInput {
  @Field(() => ID)
  agentId!: string;

  @Field(() => Int, { nullable: true, description: 'The revision of the agent that you read.' })
  revision?: number | null;

  @Field(() => SkillInput)
  skill!: SkillInput;
}

@InputType({ description: 'A change of a skill: what is left out stays.' })
export class UpdateSkillInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision of the agent that you read.' })
  revision?: number | null;

  @Field(() => String, optional)
  key?: string | null;

  @Field(() => String, optional)
  name?: string | null;

  @Field(() => String, optional)
  description?: string | null;

  @Field(() => [String], optional)
  tags?: string[] | null;

  @Field(() => [String], optional)
  examples?: string[] | null;

  @Field(() => [String], optional)
  inputModes?: string[] | null;

  @Field(() => [String], optional)
  outputModes?: string[] | null;
}

@InputType()
export class RemoveSkillInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision of the agent that you read.' })
  revision?: number | null;
}
