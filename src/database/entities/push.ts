import { defineEntity, p } from '@mikro-orm/core';
import { counter, moment } from './columns.ts';
import { TaskEntity } from './task.ts';

/**
 * A webhook of a task. It is behind while `cursor`, what was delivered or given up, is less than `head`, the last
 * sequence of the task's log: the statement that writes an event moves the head, so nothing else has to remember that
 * there is something to deliver. The lease says which replica delivers; what is recorded under an older epoch is refused.
 *
 * `name` is the id that clients know, unique in its task. `token` and `credentials` are sealed.
 */
export const PushConfigEntity = defineEntity({
  name: 'PushConfig',
  tableName: 'push_config',
  indexes: [
    {
      name: 'push_config_due_idx',
      expression: `create index "push_config_due_idx" on "push_config" ("next_at") where "state" = 'active' and "cursor" < "head"`,
    },
  ],
  uniques: [{ name: 'push_config_task_name_key', properties: ['task', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    task: () => p.manyToOne(TaskEntity).fieldName('task').mapToPk().deleteRule('cascade').index(false),
    name: p.text(),
    url: p.text(),
    token: p.text().nullable(),
    scheme: p.text().nullable(),
    credentials: p.text().nullable(),
    /** The dialect it was registered in: that of the bodies. */
    dialect: p.text(),
    cursor: counter(),
    head: counter(),
    /** The head is the task's last event. */
    ended: p.boolean().default(false),
    /** `active`; `done`: the last event was delivered or given up; `gone`: the receiver answered 410. */
    state: p.text().default('active'),
    /** Failed attempts at the notification after the cursor. */
    attempts: p.integer().default(0),
    /** Attempts ever made: they number the delivery log. */
    deliveries: counter(),
    nextAt: moment(),
    leaseReplica: p.uuid().nullable(),
    leaseEpoch: p.integer().default(0),
    leaseUntil: moment().nullable(),
    createdAt: moment(),
    updatedAt: moment(),
  },
});

/** One attempt to deliver a notification. The newest of each config are kept. */
export const PushDeliveryEntity = defineEntity({
  name: 'PushDelivery',
  tableName: 'push_delivery',
  properties: {
    config: () =>
      p.manyToOne(PushConfigEntity).fieldName('config').mapToPk().primary().deleteRule('cascade').index(false),
    number: p.bigint('number').primary(),
    sequence: p.bigint('number'),
    attempt: p.integer(),
    outcome: p.text(),
    /** HTTP status; null when there was no answer. */
    status: p.integer().nullable(),
    error: p.text().nullable(),
    durationMs: p.integer(),
    at: moment(),
  },
});

/** A key pair that signs in the name of this server. One is in use; retired ones stay published for a while. */
export const SigningKeyEntity = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  uniques: [
    {
      name: 'signing_key_active_key',
      expression: `create unique index "signing_key_active_key" on "signing_key" ("purpose") where "retired_at" is null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    purpose: p.text(),
    /** Its public half as a JSON Web Key. */
    publicKey: p.json<unknown>().columnType('jsonb'),
    /** Its private half as a JSON Web Key, sealed. */
    privateKey: p.text(),
    createdAt: moment(),
    retiredAt: moment().nullable(),
  },
});
