import { Field, ObjectType } from 'type-graphql';
import { AGENT_OPERATIONS } from '../../registry/access.ts';
import { enumOf } from '../enums.ts';

export const AgentOperationEnum = enumOf('AgentOperation', 'What may be done with an agent.', AGENT_OPERATIONS, {
  read: 'Read it, its skills and its card.',
  update: 'Change it: fields, status, skills, task categories, deployments, card.',
  delete: 'Delete it.',
  seeEndpoints: 'Read the addresses of its deployments.',
  send: 'Send messages to it.',
  readTasks: "Read one's own tasks of it.",
});

@ObjectType({ simpleResolvers: true, description: 'Whether you may do something, and why not.' })
export class Access {
  @Field(() => Boolean)
  allowed!: boolean;

  @Field(() => String, { nullable: true, description: 'The code that it would be refused with; null when allowed.' })
  code!: string | null;

  @Field(() => String, { nullable: true, description: 'Why not, in words; null when allowed.' })
  reason!: string | null;
}
