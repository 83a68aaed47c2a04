import { Field, ID, Int, ObjectType } from 'type-graphql';
import { FLYTE_WARNINGS } from '../../registry/flyte/preview-warnings.ts';
import { enumOf } from '../enums.ts';
import { DateTime } from '../scalars.ts';
import { TaskCategory } from './agent.ts';

export const FlyteWarningKindEnum = enumOf(
  'FlyteWarningKind',
  'Why Flyte does not see or reach an agent as it was registered.',
  FLYTE_WARNINGS,
  {
    portShut: "Flyte's services do not listen.",
    noCategories: 'A Flyte agent without task categories.',
    notSeen: "Private to somebody else than Flyte's services act as.",
    inactive: 'Not listed while it is inactive.',
    noDeployment: 'Listed, with nowhere to send its tasks.',
    noneTakesTasks: 'Every deployment is draining or has weight 0.',
    onlySecondGeneration: 'No deployment of the first generation.',
    syncInSecondGeneration: 'Generation 2 has no sync service.',
    syncForgotten: 'FlytePropeller 1.x keeps another version of the name, and calls this one as async.',
    needsDefault: "FlytePropeller 1.x keeps another version of the name: this one works by propeller's default agent.",
  },
);

export const FlyteCallEnum = enumOf('FlyteCall', 'How FlytePropeller calls an agent.', ['sync', 'async'] as const);

@ObjectType({
  simpleResolvers: true,
  description: 'Milliseconds that each operation may take; null where its own limit holds.',
})
export class DeploymentTimeouts {
  @Field(() => Int, { nullable: true })
  createTask?: number | null;

  @Field(() => Int, { nullable: true })
  getTask?: number | null;

  @Field(() => Int, { nullable: true })
  deleteTask?: number | null;

  @Field(() => Int, { nullable: true })
  getTaskMetrics?: number | null;

  @Field(() => Int, { nullable: true })
  getTaskLogs?: number | null;

  @Field(() => Int, { nullable: true })
  executeTaskSync?: number | null;
}

@ObjectType({ simpleResolvers: true, description: "Where an agent serves Flyte's tasks." })
export class Deployment {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { nullable: true, description: 'host:port; null for those who may not change the agent.' })
  endpoint!: string | null;

  @Field(() => Boolean, { description: 'False: plaintext.' })
  tls!: boolean;

  @Field(() => Int, { description: 'Whose services it has: 1 for flyteidl, 2 for flyteidl2.' })
  generation!: number;

  @Field(() => Int, { description: "Share of new tasks, relative to the agent's others; 0 takes none." })
  weight!: number;

  @Field(() => Boolean, { description: 'Takes no new tasks; its jobs are still polled and deleted.' })
  draining!: boolean;

  @Field(() => DeploymentTimeouts)
  timeouts!: DeploymentTimeouts;

  @Field(() => DateTime)
  createdAt!: Date;

  @Field(() => DateTime)
  updatedAt!: Date;

  agentId!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A task category as FlytePropeller 1.x has it after a poll.' })
export class FlytePreviewCategory {
  @Field(() => String)
  name!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => Boolean, {
    description: 'It remembers this version of the name. Others go to its default agent, as async.',
  })
  kept!: boolean;

  @Field(() => FlyteCallEnum)
  calledAs!: string;

  @Field(() => Boolean, { description: 'A new task would find a deployment that takes it.' })
  takesTasks!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'An agent as ListAgents names it.' })
export class FlytePreviewAgent {
  @Field(() => ID)
  agentId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Boolean)
  isSync!: boolean;

  @Field(() => [String], { description: 'The deprecated form of its categories.' })
  supportedTaskTypes!: string[];

  @Field(() => [FlytePreviewCategory])
  categories!: FlytePreviewCategory[];
}

@ObjectType({ simpleResolvers: true, description: 'Something that a Flyte operator should know.' })
export class FlyteWarning {
  @Field(() => FlyteWarningKindEnum)
  kind!: string;

  @Field(() => String)
  message!: string;

  @Field(() => ID, { nullable: true, description: 'Null when it is about the port.' })
  agentId!: string | null;

  @Field(() => TaskCategory, { nullable: true })
  category!: TaskCategory | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What FlytePropeller 1.x is told by ListAgents and makes of it, as far as you may see the agents.',
})
export class FlytePreview {
  @Field(() => Boolean, { description: "Flyte's port is open." })
  open!: boolean;

  @Field(() => [FlytePreviewAgent], { description: 'In the order of the answer.' })
  agents!: FlytePreviewAgent[];

  @Field(() => [FlyteWarning])
  warnings!: FlyteWarning[];
}
