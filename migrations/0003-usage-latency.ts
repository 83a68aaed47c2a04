import { Migration } from '@mikro-orm/migrations';

/** How long calls of agents took, by day; and an index for one caller's tasks with one agent. */
export class UsageLatency extends Migration {
  override up(): void {
    this.addSql(`create table "agent_latency" (
      "agent" uuid not null,
      "day" date not null,
      "buckets" int[] not null default '{}',
      primary key ("agent", "day")
    )`);
    this.addSql(
      `alter table "agent_latency" add constraint "agent_latency_agent_foreign" foreign key ("agent") references "agent" ("id") on delete cascade`,
    );
    this.addSql(`create index "task_owner_agent_idx" on "task" ("owner", "agent", "status_at" desc, "id" desc)`);
  }
}
