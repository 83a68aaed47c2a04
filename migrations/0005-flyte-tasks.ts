import { Migration } from '@mikro-orm/migrations';

/** Tasks that run elsewhere, and by what they are found again there. */
export class FlyteTasks extends Migration {
  override up(): void {
    this.addSql(`alter table "task" add column "elsewhere" boolean not null default false`);
    this.addSql(`create table "task_job" (
      "task" uuid not null,
      "ref" text null,
      "place" json not null,
      "handle" text null,
      "heard_at" timestamptz(6) not null,
      "poll_at" timestamptz(6) null,
      "polls" int not null default 0,
      primary key ("task")
    )`);
    this.addSql(`create index "task_job_poll_idx" on "task_job" ("poll_at") where "poll_at" is not null`);
    this.addSql(`create index "task_job_ref_idx" on "task_job" ("ref") where "ref" is not null`);
    this.addSql(
      `alter table "task_job" add constraint "task_job_task_foreign" foreign key ("task") references "task" ("id") on update cascade on delete cascade`,
    );
  }
}
