import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DELIVERY_OUTCOMES, PUSH_STATES } from '../../tasks/push/model.ts';
import { enumOf } from '../enums.ts';
import { DateTime } from '../scalars.ts';

export const PushStateEnum = enumOf('PushState', 'Whether a webhook gets anything.', PUSH_STATES, {
  active: 'Events are delivered as they come.',
  done: 'The task has ended, and its last event was delivered or given up.',
  gone: 'The receiver answered 410, and gets nothing more until it is registered again.',
});

export const PushOutcomeEnum = enumOf('PushOutcome', 'What came of an attempt to deliver.', DELIVERY_OUTCOMES, {
  retrying: 'It failed, and was or will be tried again.',
  failed: 'It was given up.',
});

@ObjectType({ simpleResolvers: true, description: 'One attempt to deliver a push notification.' })
export class PushDelivery {
  @Field(() => Int, { description: "The event: its place in the task's log." })
  sequence!: number;

  @Field(() => Int, { description: 'From 1, for each event.' })
  attempt!: number;

  @Field(() => PushOutcomeEnum)
  outcome!: string;

  @Field(() => Int, { nullable: true, description: 'HTTP status; null when there was no answer.' })
  status!: number | null;

  @Field(() => String, { nullable: true, description: 'What went wrong.' })
  error!: string | null;

  @Field(() => Int)
  durationMs!: number;

  @Field(() => DateTime)
  at!: Date;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A webhook that is told the events of a task. Its token and its credentials can be set and never read.',
})
export class PushNotificationConfig {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'The id that A2A clients know it by; unique in its task.' })
  key!: string;

  @Field(() => ID)
  taskId!: string;

  @Field(() => String)
  url!: string;

  @Field(() => Boolean, { description: 'Whether it has a token, which goes out as X-A2A-Notification-Token.' })
  hasToken!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The scheme of its Authorization header; null when it has none of its own.',
  })
  scheme!: string | null;

  @Field(() => String, { description: 'The A2A dialect that it was registered in, and is told in.' })
  dialect!: string;

  @Field(() => PushStateEnum)
  state!: string;

  @Field(() => Int, { description: 'The last event that was delivered or given up: a place in the log of the task.' })
  deliveredSequence!: number;

  @Field(() => Int, { description: 'Failed attempts at the event after it.' })
  attempts!: number;

  @Field(() => DateTime, { nullable: true, description: 'When the next attempt is due; null while nothing waits.' })
  nextAttemptAt!: Date | null;

  @Field(() => DateTime)
  createdAt!: Date;
}
