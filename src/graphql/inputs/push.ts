import { Field, ID, InputType } from 'type-graphql';

@InputType({ description: 'What goes out as `Authorization: <scheme> <credentials>`.' })
export class PushAuthenticationInput {
  @Field(() => String, { description: 'An HTTP authentication scheme, such as Bearer.' })
  scheme!: string;

  @Field(() => String, { nullable: true })
  credentials?: string | null;
}

@InputType({ description: 'A webhook of a task.' })
export class CreatePushNotificationConfigInput {
  @Field(() => ID)
  taskId!: string;

  @Field(() => String, { nullable: true, description: 'Made when left out. One of the same key is replaced.' })
  key?: string | null;

  @Field(() => String, { description: 'Where notifications are posted to.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'Goes out as X-A2A-Notification-Token.' })
  token?: string | null;

  @Field(() => PushAuthenticationInput, {
    nullable: true,
    description: 'Without it, Authorization is a token signed by this server.',
  })
  authentication?: PushAuthenticationInput | null;
}

@InputType()
export class DeletePushNotificationConfigInput {
  @Field(() => ID)
  taskId!: string;

  @Field(() => String)
  key!: string;
}
