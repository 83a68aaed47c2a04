import { Field, ID, InputType, Int } from 'type-graphql';

const optional = { nullable: true } as const;
const AGENT_REVISION = { nullable: true, description: 'The revision of the agent that you read.' } as const;

@InputType({
  description: 'Milliseconds that each operation may take, 1 to 3,600,000; its own limit holds where none is given.',
})
export class DeploymentTimeoutsInput {
  @Field(() => Int, optional)
  createTask?: number | null;

  @Field(() => Int, optional)
  getTask?: number | null;

  @Field(() => Int, optional)
  deleteTask?: number | null;

  @Field(() => Int, optional)
  getTaskMetrics?: number | null;

  @Field(() => Int, optional)
  getTaskLogs?: number | null;

  @Field(() => Int, optional)
  executeTaskSync?: number | null;
}

@InputType({ description: 'A Flyte deployment of an agent.' })
export class RegisterDeploymentInput {
  @Field(() => ID)
  agentId!: string;

  @Field(() => Int, AGENT_REVISION)
  revision?: number | null;

  @Field(() => String, { description: 'host:port of its gRPC server.' })
  endpoint!: string;

  @Field(() => Boolean, { nullable: true, description: 'False for plaintext; default true.' })
  tls?: boolean | null;

  @Field(() => Int, { nullable: true, description: '1 for flyteidl (default), 2 for flyteidl2.' })
  generation?: number | null;

  @Field(() => Int, { nullable: true, description: 'Share of new tasks, 0 to 1,000; default 1.' })
  weight?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Take no new tasks; default false.' })
  draining?: boolean | null;

  @Field(() => DeploymentTimeoutsInput, optional)
  timeouts?: DeploymentTimeoutsInput | null;
}

@InputType({ description: 'A change of a deployment: what is left out stays; timeouts are replaced as a whole.' })
export class UpdateDeploymentInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, AGENT_REVISION)
  revision?: number | null;

  @Field(() => String, { nullable: true, description: 'Where its jobs are found from now on, too.' })
  endpoint?: string | null;

  @Field(() => Boolean, optional)
  tls?: boolean | null;

  @Field(() => Int, optional)
  weight?: number | null;

  @Field(() => Boolean, optional)
  draining?: boolean | null;

  @Field(() => DeploymentTimeoutsInput, optional)
  timeouts?: DeploymentTimeoutsInput | null;
}

@InputType()
export class RemoveDeploymentInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, AGENT_REVISION)
  revision?: number | null;
}
