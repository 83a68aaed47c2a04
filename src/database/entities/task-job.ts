import { defineEntity, p } from '@mikro-orm/core';
import { moment } from './columns.ts';
import { TaskEntity } from './task.ts';

/**
 * By what a task that runs elsewhere is found again there. `handle` is what the other side gave for it, sealed: it may
 * hold the agent's secrets; `ref` is its digest, by which calls about the job find the task. Both are null until the job
 * was created. `pollAt`: when Rollcall asks for it itself, unless somebody does before; null once the task has ended.
 */
export const TaskJobEntity = defineEntity({
  name: 'TaskJob',
  tableName: 'task_job',
  indexes: [
    {
      name: 'task_job_poll_idx',
      expression: `create index "task_job_poll_idx" on "task_job" ("poll_at") where "poll_at" is not null`,
    },
    {
      name: 'task_job_ref_idx',
      expression: `create index "task_job_ref_idx" on "task_job" ("ref") where "ref" is not null`,
    },
  ],
  properties: {
    task: () => p.oneToOne(TaskEntity).fieldName('task').mapToPk().primary().deleteRule('cascade').index(false),
    ref: p.text().nullable(),
    place: p.json<unknown>().columnType('json'),
    handle: p.text().nullable(),
    /** The last sign of life: somebody asked for the job, or it answered. */
    heardAt: moment(),
    pollAt: moment().nullable(),
    /** Polls of ours since somebody else asked. */
    polls: p.integer().default(0),
  },
});
