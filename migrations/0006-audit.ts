import { Migration } from '@mikro-orm/migrations';

/** The audit log: what was changed, and what was refused. */
export class Audit extends Migration {
  override up(): void {
    this.addSql(`create table "audit_entry" (
      "id" uuid not null,
      "at" timestamptz(6) not null,
      "actor" uuid not null,
      "scopes" text[] not null default '{}',
      "outcome" text not null,
      "operation" text not null,
      "target_type" text null,
      "target_id" text null,
      "code" text null,
      "address" text null,
      "user_agent" text null,
      "request_id" text null,
      "changes" jsonb not null default '[]',
      "count" int not null default 1,
      "denial" text null,
      primary key ("id")
    )`);
    this.addSql(`create index "audit_entry_at_idx" on "audit_entry" ("at")`);
    this.addSql(`create index "audit_entry_actor_idx" on "audit_entry" ("actor", "id")`);
    this.addSql(
      `create index "audit_entry_target_idx" on "audit_entry" ("target_id", "id") where "target_id" is not null`,
    );
    this.addSql(`create unique index "audit_entry_denial_key" on "audit_entry" ("denial") where "denial" is not null`);
  }
}
