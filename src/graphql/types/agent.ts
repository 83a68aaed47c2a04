import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { DateTime, Json } from '../scalars.ts';
import { Count, connectionType } from './connection.ts';
import { Provider } from './provider.ts';
import {
  AgentActionEnum,
  AgentStatusEnum,
  AuthenticationTypeEnum,
  ExecutionTypeEnum,
  FacetFieldEnum,
  VisibilityEnum,
} from './words.ts';

@ObjectType({ simpleResolvers: true, description: 'Where an agent speaks A2A, as its card says.' })
export class AgentInterface {
  @Field(() => String)
  url!: string;

  @Field(() => String, { description: 'JSONRPC, HTTP+JSON or GRPC.' })
  binding!: string;

  @Field(() => String)
  protocolVersion!: string;
}

@ObjectType({ simpleResolvers: true, description: "Flyte's task category: each (name, version) belongs to one agent." })
export class TaskCategory {
  @Field(() => String)
  name!: string;

  @Field(() => Int)
  version!: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'How long calls of an agent took in the last 7 days, in milliseconds: from the dispatch of a message until the task rested (it ended, or waits for the caller). The same to within 2.5 %; a few seconds behind.',
})
export class AgentLatency {
  @Field(() => Int, {
    description: 'Calls that were timed: not those that nobody answered, or that the caller cancelled.',
  })
  calls!: number;

  @Field(() => Float, { description: 'Half of the calls took no longer.' })
  p50!: number;

  @Field(() => Float, { description: '95 % of the calls took no longer.' })
  p95!: number;

  @Field(() => Float, { description: '99 % of the calls took no longer.' })
  p99!: number;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Calls of an agent through Rollcall since it was registered. A few seconds behind.',
})
export class AgentUsage {
  @Field(() => Int)
  calls!: number;

  @Field(() => Int)
  failures!: number;

  @Field(() => DateTime, { nullable: true })
  lastUsedAt!: Date | null;
}

@ObjectType({ simpleResolvers: true, description: 'One field of a change.' })
export class FieldChange {
  @Field(() => String)
  field!: string;

  @Field(() => Json, { nullable: true })
  before!: unknown;

  @Field(() => Json, { nullable: true })
  after!: unknown;
}

@ObjectType({
  simpleResolvers: true,
  description: 'One accepted change of an agent: who, when, what. Secrets are never in it.',
})
export class AgentChange {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { description: 'The revision that the change made.' })
  revision!: number;

  @Field(() => AgentActionEnum)
  action!: string;

  @Field(() => ID, { description: 'The subject that made it.' })
  actor!: string;

  @Field(() => DateTime)
  at!: Date;

  @Field(() => [FieldChange])
  changes!: FieldChange[];
}

@Directive('@key(fields: "id")')
@Directive('@key(fields: "handle")')
@ObjectType({ simpleResolvers: true, description: 'Something that does work on request.' })
export class Agent {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Readable and unique: what people type in URLs and commands.' })
  handle!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => String, { description: "The agent's own version." })
  version!: string;

  @Field(() => String, { description: 'What it is: text, image, code, multimodal, …' })
  type!: string;

  @Field(() => ExecutionTypeEnum)
  executionType!: string;

  @Field(() => AgentStatusEnum)
  status!: string;

  @Field(() => [String], { description: 'Media types that it takes.' })
  inputModes!: string[];

  @Field(() => [String], { description: 'Media types that it gives.' })
  outputModes!: string[];

  @Field(() => [String])
  capabilities!: string[];

  @Field(() => String, {
    nullable: true,
    description: "The agent's own endpoint. Its card gives the gateway's instead.",
  })
  url!: string | null;

  @Field(() => [AgentInterface], { description: 'Where it speaks A2A, in its order of preference.' })
  interfaces!: AgentInterface[];

  @Field(() => String, { nullable: true })
  documentationUrl!: string | null;

  @Field(() => String, { nullable: true })
  iconUrl!: string | null;

  @Field(() => [Json], { description: 'A2A protocol extensions that it declares.' })
  extensions!: unknown[];

  @Field(() => Provider, { nullable: true })
  provider!: Provider | null;

  @Field(() => AuthenticationTypeEnum)
  authenticationType!: string;

  @Field(() => Boolean, { description: 'Credentials are stored. They are write-only.' })
  hasCredentials!: boolean;

  @Field(() => Boolean, { description: 'The agent itself can stream. Through Rollcall, every agent can be streamed.' })
  streaming!: boolean;

  @Field(() => Boolean, { description: 'The agent itself can push. Through Rollcall, every agent can.' })
  pushNotifications!: boolean;

  @Field(() => Boolean)
  stateTransitionHistory!: boolean;

  @Field(() => Boolean, { description: 'A task whose first answer was lost may be sent again.' })
  retrySafe!: boolean;

  @Field(() => String, { nullable: true, description: 'The unique name under which Flyte knows it.' })
  flyteName!: string | null;

  @Field(() => Boolean, { description: 'Its task categories are all synchronous, or all asynchronous.' })
  isSync!: boolean;

  @Field(() => ID, { description: 'The subject that may change it.' })
  owner!: string;

  @Field(() => VisibilityEnum)
  visibility!: string;

  @Field(() => DateTime)
  createdAt!: Date;

  @Field(() => DateTime)
  updatedAt!: Date;

  @Field(() => Int, {
    description: "Rises by one with every change: give it back with a change to be told of anyone else's.",
  })
  revision!: number;
}

@ObjectType({ simpleResolvers: true, description: 'One value of a facet.' })
export class FacetValue {
  @Field(() => String, { description: 'The value; for the provider facet its id.' })
  value!: string;

  @Field(() => Count)
  count!: Count;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The most frequent values of one field among the agents selected, 50 at most.',
})
export class Facet {
  @Field(() => FacetFieldEnum)
  field!: string;

  @Field(() => [FacetValue])
  values!: FacetValue[];
}

export const AgentConnection = connectionType('Agent', () => Agent);
export const AgentChangeConnection = connectionType('AgentChange', () => AgentChange);

@ObjectType({
  simpleResolvers: true,
  description: 'An agent changed. The call to read it again, and the agent as it is now.',
})
export class AgentEvent {
  @Field(() => AgentActionEnum)
  action!: string;

  @Field(() => ID)
  agentId!: string;

  @Field(() => String)
  handle!: string;

  @Field(() => Int)
  revision!: number;

  @Field(() => DateTime)
  at!: Date;
}
