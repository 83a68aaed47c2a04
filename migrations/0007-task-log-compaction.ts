import { Migration } from '@mikro-orm/migrations';

/** Marks the tasks whose log was folded, and finds the ones that are due. */
export class TaskLogCompaction extends Migration {
  override up(): void {
    this.addSql(`alter table "task" add column "compacted_at" timestamptz(6) null`);
    this.addSql(
      `create index "task_compaction_idx" on "task" ("finished_at") where "finished_at" is not null and "compacted_at" is null`,
    );
  }
}
