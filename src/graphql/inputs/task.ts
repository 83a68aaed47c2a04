import { Field, ID, InputType } from 'type-graphql';
import { DateTime, Json } from '../scalars.ts';
import { TaskStateEnum } from '../types/task.ts';

@InputType({ description: 'One piece of content: exactly one of text, raw, url and data.' })
export class PartInput {
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

@InputType({ description: 'A message to an agent: the beginning of a task, or the continuation of one.' })
export class SendMessageInput {
  @Field(() => ID)
  agentId!: string;

  @Field(() => String, { nullable: true, description: 'The message as text; or give `parts`.' })
  text?: string | null;

  @Field(() => [PartInput], { nullable: true })
  parts?: PartInput[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Made when left out. Sending the same id and content again while the task is at work joins it.',
  })
  messageId?: string | null;

  @Field(() => ID, { nullable: true, description: 'The conversation that it belongs to.' })
  contextId?: string | null;

  @Field(() => ID, { nullable: true, description: 'The task that it continues.' })
  taskId?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Other tasks that the message refers to.' })
  referenceTaskIds?: string[] | null;

  @Field(() => Json, { nullable: true })
  metadata?: unknown;

  @Field(() => String, {
    nullable: true,
    description: 'The same key gets the same task for 24 hours, in whatever state it is, and no work is done twice.',
  })
  idempotencyKey?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'True, or left out: answer when the task rests (it ended, or waits for input). False: answer at once.',
  })
  wait?: boolean | null;
}

@InputType()
export class CancelTaskInput {
  @Field(() => ID)
  id!: string;
}

@InputType({ description: 'Which tasks: every condition given must hold.' })
export class TaskFilterInput {
  @Field(() => ID, { nullable: true })
  agentId?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Any of these; 1,000 at most.' })
  agentIds?: string[] | null;

  @Field(() => ID, { nullable: true })
  contextId?: string | null;

  @Field(() => [TaskStateEnum], { nullable: true, description: 'Any of these.' })
  states?: string[] | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'Tasks whose status is this old or younger. For `tasksChanged`: begin with these, each as a merged change, and go on with what happens.',
  })
  statusTimestampAfter?: Date | null;

  @Field(() => ID, { nullable: true, description: 'Of this owner; for callers with the scope tasks:admin.' })
  owner?: string | null;
}
