import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { AUDIT_OUTCOMES } from '../../registry/audit/list.ts';
import { enumOf } from '../enums.ts';
import { DateTime } from '../scalars.ts';
import { FieldChange } from './agent.ts';
import { connectionType } from './connection.ts';

export const AuditOutcomeEnum = enumOf('AuditOutcome', 'How it ended.', AUDIT_OUTCOMES, {
  allowed: 'It was done.',
  denied: 'It was refused.',
});

@ObjectType({
  simpleResolvers: true,
  description:
    'One line of the audit log: an accepted change, or the equal refusals of one minute. Secrets are never in it.',
})
export class AuditEntry {
  @Field(() => ID)
  id!: string;

  @Field(() => DateTime, { description: 'Of refusals: the beginning of their minute.' })
  at!: Date;

  @Field(() => ID, { description: 'The subject that did it; the nil UUID for who had not signed in.' })
  actor!: string;

  @Field(() => [String], { description: 'The scopes that it held.' })
  scopes!: string[];

  @Field(() => AuditOutcomeEnum)
  outcome!: string;

  @Field(() => String, {
    description:
      'The kind of thing and what happened to it, such as agent.updated; of a refusal the scope that lacked, change or authenticate.',
  })
  operation!: string;

  @Field(() => String, { nullable: true })
  targetType!: string | null;

  @Field(() => String, { nullable: true })
  targetId!: string | null;

  @Field(() => String, { nullable: true, description: 'The code that a refusal was answered with.' })
  code!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where the call came from; null for what Rollcall does by itself.',
  })
  address!: string | null;

  @Field(() => String, { nullable: true })
  userAgent!: string | null;

  @Field(() => String, { nullable: true, description: 'The X-Request-Id of the call; of refusals that of the first.' })
  requestId!: string | null;

  @Field(() => [FieldChange], { description: 'Before and after.' })
  changes!: FieldChange[];

  @Field(() => Int, { description: 'How often it was refused in its minute; 1 for a change.' })
  count!: number;
}

export const AuditEntryConnection = connectionType('AuditEntry', () => AuditEntry);

@InputType({ description: 'Which lines: all of these conditions.' })
export class AuditFilterInput {
  @Field(() => ID, { nullable: true })
  actor?: string | null;

  @Field(() => String, { nullable: true })
  operation?: string | null;

  @Field(() => String, { nullable: true })
  targetType?: string | null;

  @Field(() => String, { nullable: true })
  targetId?: string | null;

  @Field(() => AuditOutcomeEnum, { nullable: true })
  outcome?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'At this moment or later.' })
  since?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Before this moment.' })
  until?: Date | null;
}
