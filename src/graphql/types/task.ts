import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { TASK_STATES } from '../../protocol/a2a/model.ts';
import { enumOf } from '../enums.ts';
import { DateTime, Json } from '../scalars.ts';
import { connectionType } from './connection.ts';

export const TaskStateEnum = enumOf(
  'TaskState',
  'The state of a task. COMPLETED, FAILED, CANCELED and REJECTED never change.',
  TASK_STATES,
  {
    'input-required': 'It waits for another message.',
    'auth-required': 'It waits for somebody to sign in.',
  },
);

export const MessageRoleEnum = enumOf('MessageRole', 'Who speaks.', ['user', 'agent'] as const);

export const TaskEventKindEnum = enumOf(
  'TaskEventKind',
  'What a task event tells.',
  ['snapshot', 'created', 'message', 'status', 'artifact', 'result'] as const,
  {
    snapshot: 'The task as it is, up to and including the sequence.',
    result: 'The agent answered with a message instead of a task.',
  },
);

@ObjectType({ simpleResolvers: true, description: 'One piece of content: exactly one of text, raw, url and data.' })
export class Part {
  @Field(() => String, { nullable: true })
  text?: string | null;

  @Field(() => String, { nullable: true, description: 'Bytes in base64.' })
  raw?: string | null;

  @Field(() => String, { nullable: true })
  url?: string | null;

  @Field(() => Json, { nullable: true })
  data?: unknown;

  @Field(() => String, { nullable: true })
  filename?: string | null;

  @Field(() => String, { nullable: true })
  mediaType?: string | null;

  @Field(() => Json, { nullable: true })
  metadata?: unknown;
}

@ObjectType({ simpleResolvers: true, description: 'One turn of a conversation with an agent.' })
export class Message {
  @Field(() => ID)
  messageId!: string;

  @Field(() => ID, { nullable: true, description: 'The task that it belongs to.' })
  taskId?: string | null;

  @Field(() => ID, { nullable: true })
  contextId?: string | null;

  @Field(() => MessageRoleEnum)
  role!: string;

  @Field(() => [Part])
  parts!: Part[];

  @Field(() => Json, { nullable: true })
  metadata?: unknown;

  @Field(() => [String], { nullable: true, description: 'URIs of the A2A extensions that it uses.' })
  extensions?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Other tasks that it refers to.' })
  referenceTaskIds?: string[] | null;
}

@ObjectType({ simpleResolvers: true, description: 'Something that a task made.' })
export class Artifact {
  @Field(() => ID)
  artifactId!: string;

  @Field(() => String, { nullable: true })
  name?: string | null;

  @Field(() => String, { nullable: true })
  description?: string | null;

  @Field(() => [Part])
  parts!: Part[];

  @Field(() => Json, { nullable: true })
  metadata?: unknown;

  @Field(() => [String], { nullable: true, description: 'URIs of the A2A extensions that it uses.' })
  extensions?: string[] | null;
}

@Directive('@key(fields: "id")')
@ObjectType({ simpleResolvers: true, description: 'One piece of work of an agent.' })
export class Task {
  @Field(() => ID)
  id!: string;

  @Field(() => ID, { description: 'Groups the tasks of one conversation.' })
  contextId!: string;

  @Field(() => TaskStateEnum)
  state!: string;

  @Field(() => Message, { nullable: true, description: 'What the agent said with its last state.' })
  statusMessage!: Message | null;

  @Field(() => DateTime, { description: 'When it came into its state, by the clock of Rollcall.' })
  statusAt!: Date;

  @Field(() => Json, { nullable: true })
  metadata?: unknown;

  @Field(() => ID, { description: 'The subject whose task it is.' })
  owner!: string;

  @Field(() => DateTime)
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null while it has not.' })
  finishedAt!: Date | null;

  @Field(() => Int, { description: 'The newest sequence of its log: an `after` for `taskEvents`.' })
  lastSequence!: number;

  agentId!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One entry of the log of a task.' })
export class TaskEvent {
  @Field(() => ID)
  taskId!: string;

  @Field(() => Int, { description: 'Its place in the log, from 1: the `after` with which a stream goes on.' })
  sequence!: number;

  @Field(() => TaskEventKindEnum)
  kind!: string;

  @Field(() => TaskStateEnum, { description: 'The state after it.' })
  state!: string;

  @Field(() => DateTime)
  at!: Date;

  @Field(() => Message, { nullable: true, description: 'Of kind MESSAGE, STATUS or RESULT: what was said.' })
  message!: Message | null;

  @Field(() => Artifact, {
    nullable: true,
    description: 'Of kind ARTIFACT: the artifact, or the parts that continue it.',
  })
  artifact!: Artifact | null;

  @Field(() => Boolean, { description: 'Of kind ARTIFACT: the parts continue the artifact of the same id.' })
  append!: boolean;

  @Field(() => Boolean, { description: 'Of kind ARTIFACT: the agent says that nothing more follows of this artifact.' })
  lastChunk!: boolean;

  @Field(() => Json, { nullable: true })
  metadata!: unknown;

  @Field(() => Boolean, {
    description: 'The cursor that was asked for is gone: forget what you have, this replaces it.',
  })
  reset!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'A task came into another state.' })
export class TaskChange {
  @Field(() => ID)
  taskId!: string;

  @Field(() => ID)
  agentId!: string;

  @Field(() => ID)
  contextId!: string;

  @Field(() => TaskStateEnum, {
    nullable: true,
    description:
      'The state before it. Null: the task began, or the change is merged and the state is not known any more.',
  })
  from!: string | null;

  @Field(() => TaskStateEnum)
  to!: string;

  @Field(() => Int, { description: 'The newest sequence of the task: later changes of it have higher ones.' })
  sequence!: number;

  @Field(() => DateTime)
  at!: Date;

  @Field(() => Boolean, {
    description: 'It stands for several changes of which only the last is told, as you read slowly or had been away.',
  })
  merged!: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What a send answers: the task, and the message when the agent answered with one.',
})
export class SendMessageResult {
  @Field(() => Message, { nullable: true })
  message!: Message | null;

  taskId!: string;
}

export const TaskConnection = connectionType('Task', () => Task);
