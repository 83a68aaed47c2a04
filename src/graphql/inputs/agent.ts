import { Field, ID, InputType, Int } from 'type-graphql';
import { Json } from '../scalars.ts';
import {
  AgentOrderFieldEnum,
  AgentStatusEnum,
  AuthenticationTypeEnum,
  ExecutionTypeEnum,
  OrderDirectionEnum,
  VisibilityEnum,
} from '../types/words.ts';

const optional = { nullable: true } as const;

@InputType({ description: 'Which agents: every condition given must hold; a list holds when any of its values does.' })
export class AgentFilterInput {
  @Field(() => [ID], optional)
  ids?: string[] | null;

  @Field(() => String, { nullable: true, description: 'An agent that has a skill with this key.' })
  skillKey?: string | null;

  @Field(() => String, { nullable: true, description: 'An agent that has a skill with this tag.' })
  tag?: string | null;

  @Field(() => ID, optional)
  providerId?: string | null;

  @Field(() => String, optional)
  type?: string | null;

  @Field(() => String, optional)
  displayType?: string | null;

  @Field(() => [AgentStatusEnum], optional)
  status?: string[] | null;

  @Field(() => [ExecutionTypeEnum], optional)
  executionType?: string[] | null;

  @Field(() => [VisibilityEnum], optional)
  visibility?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'A media type that the agent or one of its skills takes or gives.',
  })
  mode?: string | null;

  @Field(() => String, optional)
  inputMode?: string | null;

  @Field(() => String, optional)
  outputMode?: string | null;

  @Field(() => String, optional)
  capability?: string | null;

  @Field(() => ID, optional)
  owner?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'The agent itself can stream.' })
  streaming?: boolean | null;

  @Field(() => String, { nullable: true, description: 'An agent that has a task category of this name.' })
  taskCategory?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'An agent that Flyte can use.' })
  hasTaskCategories?: boolean | null;
}

@InputType({ description: 'The order of a list of agents; ties are broken by id.' })
export class AgentOrderInput {
  @Field(() => AgentOrderFieldEnum)
  field!: string;

  @Field(() => OrderDirectionEnum, {
    nullable: true,
    description: 'ASC when left out. RELEVANCE is always best first.',
  })
  direction?: string | null;
}

@InputType({
  description: 'How Rollcall signs in to the agent. Write-only. Give the fields of its type and no others.',
})
export class AuthenticationInput {
  @Field(() => AuthenticationTypeEnum)
  type!: string;

  @Field(() => String, { nullable: true, description: 'BEARER: the token.' })
  token?: string | null;

  @Field(() => String, { nullable: true, description: 'API_KEY: where it goes, "header" (default) or "query".' })
  in?: string | null;

  @Field(() => String, { nullable: true, description: 'API_KEY: name of the header or parameter; default X-API-Key.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'API_KEY: the key.' })
  value?: string | null;

  @Field(() => String, { nullable: true, description: 'BASIC.' })
  username?: string | null;

  @Field(() => String, { nullable: true, description: 'BASIC.' })
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'OAUTH2 (client credentials): where tokens are asked for.' })
  tokenUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'OAUTH2.' })
  clientId?: string | null;

  @Field(() => String, { nullable: true, description: 'OAUTH2.' })
  clientSecret?: string | null;

  @Field(() => [String], { nullable: true, description: 'OAUTH2: scopes to ask for.' })
  scopes?: string[] | null;
}

@InputType({ description: 'A provider by name and url: the one of that identity is found, or made.' })
export class ProviderInput {
  @Field(() => String)
  name!: string;

  @Field(() => String, optional)
  url?: string | null;
}

@InputType({ description: 'A skill to add.' })
export class SkillInput {
  @Field(() => String, { description: 'The A2A skill id, unique in its agent.' })
  key!: string;

  @Field(() => String)
  name!: string;

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

@InputType({ description: "Flyte's task category." })
export class TaskCategoryInput {
  @Field(() => String)
  name!: string;

  @Field(() => Int, { nullable: true, description: '0 when left out.' })
  version?: number | null;
}

@InputType({ description: 'Fields of an agent that may be given and changed.' })
class AgentFieldsInput {
  @Field(() => String, { nullable: true, description: 'Made from the name when left out.' })
  handle?: string | null;

  @Field(() => String, optional)
  description?: string | null;

  @Field(() => String, optional)
  version?: string | null;

  @Field(() => String, { nullable: true, description: 'What it is: text (default), image, code, multimodal, …' })
  type?: string | null;

  @Field(() => AgentStatusEnum, optional)
  status?: string | null;

  @Field(() => [String], { nullable: true, description: 'Media types; default text/plain.' })
  inputModes?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Media types; default text/plain.' })
  outputModes?: string[] | null;

  @Field(() => [String], optional)
  capabilities?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Where the agent is reached.' })
  url?: string | null;

  @Field(() => String, optional)
  documentationUrl?: string | null;

  @Field(() => String, optional)
  iconUrl?: string | null;

  @Field(() => [Json], optional)
  extensions?: unknown[] | null;

  @Field(() => AuthenticationInput, optional)
  authentication?: AuthenticationInput | null;

  @Field(() => Boolean, optional)
  streaming?: boolean | null;

  @Field(() => Boolean, optional)
  pushNotifications?: boolean | null;

  @Field(() => Boolean, optional)
  stateTransitionHistory?: boolean | null;

  @Field(() => Boolean, optional)
  retrySafe?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'The unique name under which Flyte knows it; needed for task categories.',
  })
  flyteName?: string | null;

  @Field(() => Boolean, optional)
  isSync?: boolean | null;

  @Field(() => VisibilityEnum, { nullable: true, description: 'Default INTERNAL.' })
  visibility?: string | null;

  @Field(() => ID, { nullable: true, description: 'A provider by id; or give `provider`.' })
  providerId?: string | null;

  @Field(() => ProviderInput, optional)
  provider?: ProviderInput | null;
}

@InputType({ description: 'An agent to register.' })
export class RegisterAgentInput extends AgentFieldsInput {
  @Field(() => String)
  name!: string;

  @Field(() => ExecutionTypeEnum)
  executionType!: string;

  @Field(() => [SkillInput], optional)
  skills?: SkillInput[] | null;

  @Field(() => [TaskCategoryInput], optional)
  taskCategories?: TaskCategoryInput[] | null;
}

@InputType({ description: 'A change of an agent: what is left out stays; null clears what may be empty.' })
export class UpdateAgentInput extends AgentFieldsInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The revision that you read: the change is refused when there is a newer one.',
  })
  revision?: number | null;

  @Field(() => String, optional)
  name?: string | null;

  @Field(() => ExecutionTypeEnum, optional)
  executionType?: string | null;
}

@InputType()
export class SetAgentStatusInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;

  @Field(() => AgentStatusEnum)
  status!: string;
}

@InputType()
export class DeleteAgentInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The revision that you read.' })
  revision?: number | null;
}

@InputType()
export class SetTaskCategoriesInput {
  @Field(() => ID)
  agentId!: string;

  @Field(() => Int, { nullable: true, description: 'The revision of the agent that you read.' })
  revision?: number | null;

  @Field(() => [TaskCategoryInput])
  taskCategories!: TaskCategoryInput[];
}
