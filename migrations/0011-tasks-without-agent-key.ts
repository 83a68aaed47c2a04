import { Migration } from '@mikro-orm/migrations';

/**
 * Tasks without a foreign key to their agent: checking it looked the agent up and locked its row for every task that
 * begins, an eighth of what the database does for one. Agents are never removed, only marked as deleted, and a task is
 * only stored for an agent that was just read.
 */
export class TasksWithoutAgentKey extends Migration {
  override up(): void {
    this.addSql(`alter table "task" drop constraint "task_agent_foreign"`);
  }
}
