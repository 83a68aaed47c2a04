import { Migration } from '@mikro-orm/migrations';

/** Agents with their skills, providers, history, usage, source cards and task categories; tasks with their event log. */
export class RegistryAndTasks extends Migration {
  override up(): void {
    this.addSql(`create table "provider" (
      "id" uuid not null,
      "name" text collate "C" not null,
      "url" text null,
      "owner" uuid not null,
      "revision" int not null default 1,
      "created_at" timestamptz(6) not null,
      "updated_at" timestamptz(6) not null,
      primary key ("id")
    )`);
    this.addSql(`create index "provider_name_idx" on "provider" ("name", "id")`);
    this.addSql(`create unique index "provider_identity_key" on "provider" (lower("name"), coalesce("url", ''))`);
    this.addSql(`create table "agent" (
      "id" uuid not null,
      "handle" text collate "C" not null,
      "name" text collate "C" not null,
      "description" text not null default '',
      "version" text not null default '',
      "type" text not null,
      "execution_type" text not null,
      "status" text not null default 'active',
      "input_modes" text[] not null default '{}',
      "output_modes" text[] not null default '{}',
      "capabilities" text[] not null default '{}',
      "url" text null,
      "interfaces" jsonb not null default '[]',
      "documentation_url" text null,
      "icon_url" text null,
      "extensions" jsonb not null default '[]',
      "provider" uuid null,
      "authentication_type" text not null default 'none',
      "authentication_config" text null,
      "streaming" boolean not null default false,
      "push_notifications" boolean not null default false,
      "state_transition_history" boolean not null default false,
      "retry_safe" boolean not null default false,
      "flyte_name" text null,
      "is_sync" boolean not null default false,
      "owner" uuid not null,
      "visibility" text not null default 'internal',
      "revision" int not null default 1,
      "created_at" timestamptz(6) not null,
      "updated_at" timestamptz(6) not null,
      "deleted_at" timestamptz(6) null,
      "skill_keys" text[] not null default '{}',
      "skill_tags" text[] not null default '{}',
      "modes" text[] not null default '{}',
      "search" tsvector null,
      primary key ("id")
    )`);
    this.addSql(`create index "agent_name_idx" on "agent" ("name", "id") where "deleted_at" is null`);
    this.addSql(`create index "agent_updated_at_idx" on "agent" ("updated_at", "id") where "deleted_at" is null`);
    this.addSql(`create index "agent_live_id_idx" on "agent" ("id") where "deleted_at" is null`);
    this.addSql(`create index "agent_provider_idx" on "agent" ("provider", "id") where "deleted_at" is null`);
    this.addSql(`create index "agent_owner_idx" on "agent" ("owner", "id") where "deleted_at" is null`);
    this.addSql(`create index "agent_status_idx" on "agent" ("status", "id") where "deleted_at" is null`);
    this.addSql(
      `create index "agent_execution_type_idx" on "agent" ("execution_type", "id") where "deleted_at" is null`,
    );
    this.addSql(`create index "agent_search_idx" on "agent" using gin ("search") where "deleted_at" is null`);
    this.addSql(`create index "agent_skill_keys_idx" on "agent" using gin ("skill_keys") where "deleted_at" is null`);
    this.addSql(`create index "agent_skill_tags_idx" on "agent" using gin ("skill_tags") where "deleted_at" is null`);
    this.addSql(
      `create index "agent_capabilities_idx" on "agent" using gin ("capabilities") where "deleted_at" is null`,
    );
    this.addSql(`create index "agent_modes_idx" on "agent" using gin ("modes") where "deleted_at" is null`);
    this.addSql(`create unique index "agent_handle_key" on "agent" ("handle") where "deleted_at" is null`);
    this.addSql(`create unique index "agent_flyte_name_key" on "agent" ("flyte_name") where "deleted_at" is null`);
    this.addSql(`create table "agent_usage" (
      "agent" uuid not null,
      "calls" bigint not null default '0',
      "failures" bigint not null default '0',
      "last_used_at" timestamptz(6) not null default '-infinity',
      primary key ("agent")
    )`);
    this.addSql(`create index "agent_usage_last_used_at_idx" on "agent_usage" ("last_used_at", "agent")`);
    this.addSql(`create table "agent_change" (
      "id" uuid not null,
      "agent" uuid not null,
      "revision" int not null,
      "action" text not null,
      "actor" uuid not null,
      "at" timestamptz(6) not null,
      "changes" jsonb not null default '[]',
      primary key ("id")
    )`);
    this.addSql(`create index "agent_change_agent_idx" on "agent_change" ("agent", "id")`);
    this.addSql(`create table "skill" (
      "id" uuid not null,
      "agent" uuid not null,
      "key" text collate "C" not null,
      "position" int not null default 0,
      "name" text collate "C" not null,
      "description" text not null default '',
      "tags" text[] not null default '{}',
      "examples" text[] not null default '{}',
      "input_modes" text[] not null default '{}',
      "output_modes" text[] not null default '{}',
      "created_at" timestamptz(6) not null,
      "updated_at" timestamptz(6) not null,
      primary key ("id")
    )`);
    this.addSql(`create index "skill_name_idx" on "skill" ("name", "id")`);
    this.addSql(`create index "skill_tags_idx" on "skill" using gin ("tags")`);
    this.addSql(`create index "skill_key_idx" on "skill" ("key", "id")`);
    this.addSql(`alter table "skill" add constraint "skill_agent_key_key" unique ("agent", "key")`);
    this.addSql(`create table "source_card" (
      "agent" uuid not null,
      "url" text not null,
      "era" text not null,
      "body" bytea not null,
      "digest" text not null,
      "etag" text null,
      "signatures" jsonb not null default '[]',
      "fetched_at" timestamptz(6) not null,
      primary key ("agent")
    )`);
    this.addSql(`create index "source_card_url_idx" on "source_card" ("url")`);
    this.addSql(`create table "task" (
      "id" uuid not null,
      "agent" uuid not null,
      "context" text not null,
      "owner" uuid not null,
      "dialect" text not null default '1.0',
      "client_task_id" text null,
      "state" text not null default 'submitted',
      "status_message" json null,
      "status_at" timestamptz(6) not null,
      "result_kind" text not null default 'task',
      "last_sequence" bigint not null default '0',
      "metadata" json null,
      "join_key" text null,
      "upstream_task_id" text null,
      "upstream_context_id" text null,
      "dispatched_at" timestamptz(6) null,
      "recovered_at" timestamptz(6) null,
      "finished_at" timestamptz(6) null,
      "lease_replica" uuid null,
      "lease_epoch" int not null default 0,
      "lease_until" timestamptz(6) null,
      "created_at" timestamptz(6) not null,
      primary key ("id")
    )`);
    this.addSql(`create index "task_owner_idx" on "task" ("owner", "status_at" desc, "id" desc)`);
    this.addSql(`create index "task_status_idx" on "task" ("status_at" desc, "id" desc)`);
    this.addSql(`create index "task_agent_idx" on "task" ("agent", "status_at" desc, "id" desc)`);
    this.addSql(`create index "task_context_idx" on "task" ("owner", "context", "status_at" desc, "id" desc)`);
    this.addSql(`create index "task_lease_idx" on "task" ("lease_until") where "finished_at" is null`);
    this.addSql(`create unique index "task_join_key" on "task" ("join_key") where "join_key" is not null`);
    this.addSql(
      `create unique index "task_client_id_key" on "task" ("owner", "agent", "client_task_id") where "client_task_id" is not null`,
    );
    this.addSql(`create table "task_category" (
      "name" text collate "C" not null,
      "version" int not null,
      "agent" uuid not null,
      primary key ("name", "version")
    )`);
    this.addSql(`create index "task_category_agent_idx" on "task_category" ("agent")`);
    this.addSql(`create table "task_event" (
      "task" uuid not null,
      "sequence" bigint not null,
      "kind" text not null,
      "payload" json not null,
      "at" timestamptz(6) not null,
      primary key ("task", "sequence")
    )`);
    this.addSql(`create table "task_key" (
      "key" text not null,
      "task" uuid not null,
      "at" timestamptz(6) not null,
      primary key ("key")
    )`);
    this.addSql(`create index "task_key_at_idx" on "task_key" ("at")`);
    this.addSql(
      `alter table "agent" add constraint "agent_provider_foreign" foreign key ("provider") references "provider" ("id") on delete restrict`,
    );
    this.addSql(
      `alter table "agent_usage" add constraint "agent_usage_agent_foreign" foreign key ("agent") references "agent" ("id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "agent_change" add constraint "agent_change_agent_foreign" foreign key ("agent") references "agent" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "skill" add constraint "skill_agent_foreign" foreign key ("agent") references "agent" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "source_card" add constraint "source_card_agent_foreign" foreign key ("agent") references "agent" ("id") on update cascade on delete cascade`,
    );
    this.addSql(
      `alter table "task" add constraint "task_agent_foreign" foreign key ("agent") references "agent" ("id") on delete restrict`,
    );
    this.addSql(
      `alter table "task_category" add constraint "task_category_agent_foreign" foreign key ("agent") references "agent" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "task_event" add constraint "task_event_task_foreign" foreign key ("task") references "task" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "task_key" add constraint "task_key_task_foreign" foreign key ("task") references "task" ("id") on delete cascade`,
    );
  }
}
