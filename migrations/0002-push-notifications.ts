import { Migration } from '@mikro-orm/migrations';

/** Webhooks of tasks with their delivery log, and the keys that sign what is delivered. */
export class PushNotifications extends Migration {
  override up(): void {
    this.addSql(`alter table "task" add column "push" boolean not null default false`);
    this.addSql(`create table "push_config" (
      "id" uuid not null,
      "task" uuid not null,
      "name" text not null,
      "url" text not null,
      "token" text null,
      "scheme" text null,
      "credentials" text null,
      "dialect" text not null,
      "cursor" bigint not null default '0',
      "head" bigint not null default '0',
      "ended" boolean not null default false,
      "state" text not null default 'active',
      "attempts" int not null default 0,
      "deliveries" bigint not null default '0',
      "next_at" timestamptz(6) not null,
      "lease_replica" uuid null,
      "lease_epoch" int not null default 0,
      "lease_until" timestamptz(6) null,
      "created_at" timestamptz(6) not null,
      "updated_at" timestamptz(6) not null,
      primary key ("id")
    )`);
    this.addSql(
      `create index "push_config_due_idx" on "push_config" ("next_at") where "state" = 'active' and "cursor" < "head"`,
    );
    this.addSql(`alter table "push_config" add constraint "push_config_task_name_key" unique ("task", "name")`);
    this.addSql(`create table "push_delivery" (
      "config" uuid not null,
      "number" bigint not null,
      "sequence" bigint not null,
      "attempt" int not null,
      "outcome" text not null,
      "status" int null,
      "error" text null,
      "duration_ms" int not null,
      "at" timestamptz(6) not null,
      primary key ("config", "number")
    )`);
    this.addSql(`create table "signing_key" (
      "id" uuid not null,
      "purpose" text not null,
      "public_key" jsonb not null,
      "private_key" text not null,
      "created_at" timestamptz(6) not null,
      "retired_at" timestamptz(6) null,
      primary key ("id")
    )`);
    this.addSql(`create unique index "signing_key_active_key" on "signing_key" ("purpose") where "retired_at" is null`);
    this.addSql(
      `alter table "push_config" add constraint "push_config_task_foreign" foreign key ("task") references "task" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "push_delivery" add constraint "push_delivery_config_foreign" foreign key ("config") references "push_config" ("id") on delete cascade`,
    );
  }
}
