import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.ts';

@Directive('@key(fields: "id")')
@ObjectType({ simpleResolvers: true, description: 'One ability of an agent.' })
export class Skill {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'The A2A skill id, unique in its agent.' })
  key!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => [String])
  tags!: string[];

  @Field(() => [String], { description: 'Prompts or scenarios that the skill handles.' })
  examples!: string[];

  @Field(() => [String], { description: 'Media types that it takes; empty: those of the agent.' })
  inputModes!: string[];

  @Field(() => [String], { description: 'Media types that it gives; empty: those of the agent.' })
  outputModes!: string[];

  @Field(() => DateTime)
  createdAt!: Date;

  @Field(() => DateTime)
  updatedAt!: Date;

  agentId!: string;
}
