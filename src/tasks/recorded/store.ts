import type { Query } from '../../database/drivers.ts';
import type { SecretBox, SecretPlace } from '../../database/secret-box.ts';
import { toDate } from '../../database/values.ts';
import type { JsonObject } from '../../protocol/a2a/model.ts';
import { TASK_COLUMNS, toTaskRow } from '../rows.ts';
import type { Job } from './model.ts';

type Row = Record<string, unknown>;

/** A job whose turn to be asked for has come. */
export interface DueJob extends Job {
  readonly heardAt: Date;
  /** Polls of ours since somebody else asked. */
  readonly polls: number;
}

const COLUMNS = `${TASK_COLUMNS}, j.ref, j.place, j.handle, j.heard_at as "heardAt", j.polls`;
const placeOf = (task: string): SecretPlace => ({ table: 'task_job', row: task, column: 'handle' });

/** The rows of task_job. */
export class JobStore {
  readonly #query: Query;
  readonly #secrets: SecretBox;

  constructor(query: Query, secrets: SecretBox) {
    this.#query = query;
    this.#secrets = secrets;
  }

  async byId(id: string): Promise<DueJob | undefined> {
    return this.#one('t.id = $1', [id]);
  }

  /** The owner's newest task of that digest: a deployment may call two jobs the same. */
  async byRef(owner: string, ref: string): Promise<DueJob | undefined> {
    return this.#one('j.ref = $1 and t.owner = $2 order by t.created_at desc limit 1', [ref, owner]);
  }

  async byKey(key: string): Promise<DueJob | undefined> {
    return this.#one('t.id = (select k.task from task_key k where k.key = $1)', [key]);
  }

  /** The first handle stays: a repeated call is answered with it. */
  async setHandle(id: string, ref: string, handle: string, silenceMs: number): Promise<void> {
    await this.#query(
      `update task_job set ref = $2, handle = $3, heard_at = now(), poll_at = now() + $4::int * interval '1 millisecond'
       where task = $1 and handle is null`,
      [id, ref, this.#secrets.seal(handle, placeOf(id)), silenceMs],
    );
  }

  /** Lets the same work be begun anew. */
  async freeKey(id: string): Promise<void> {
    await this.#query('delete from task_key where task = $1', [id]);
  }

  /** The owner's Flyte asked for these jobs just now: it is not our turn for `silenceMs`. */
  async heard(owner: string, refs: readonly string[], silenceMs: number): Promise<void> {
    await this.#query(
      `update task_job j set heard_at = now(), polls = 0, poll_at = now() + $3::int * interval '1 millisecond'
       from task t where j.ref = any($2::text[]) and j.poll_at is not null and t.id = j.task and t.owner = $1`,
      [owner, refs, silenceMs],
    );
  }

  /** Takes jobs whose turn it is, for `claimMs`: then they are another replica's. Those whose task has ended are let go. */
  async claimDue(limit: number, claimMs: number): Promise<DueJob[]> {
    const rows = await this.#query<Row>(
      `with due as (
         select task from task_job where poll_at < now() order by poll_at limit $1 for update skip locked
       )
       update task_job j set poll_at = case when t.finished_at is null then now() + $2::int * interval '1 millisecond' end
       from due, task t where j.task = due.task and t.id = due.task returning ${COLUMNS}`,
      [limit, claimMs],
    );
    return rows.map((row) => this.#jobOf(row));
  }

  /** Puts the next turn off; never to before a time that somebody else has set meanwhile. */
  async polled(id: string, answered: boolean, pauseMs: number, claimMs: number): Promise<void> {
    await this.#query(
      `update task_job set polls = polls + 1, heard_at = case when $2 then now() else heard_at end,
         poll_at = case when poll_at > now() + $4::int * interval '1 millisecond' then poll_at
           else now() + $3::int * interval '1 millisecond' end
       where task = $1 and poll_at is not null`,
      [id, answered, pauseMs, claimMs],
    );
  }

  async #one(where: string, values: readonly unknown[]): Promise<DueJob | undefined> {
    const rows = await this.#query<Row>(
      `select ${COLUMNS} from task t join task_job j on j.task = t.id where ${where}`,
      values,
    );
    return rows.map((row) => this.#jobOf(row))[0];
  }

  #jobOf({ ref, place, handle, heardAt, polls, ...row }: Row): DueJob {
    const task = toTaskRow(row);
    return {
      task,
      ref: ref as string | null,
      place: place as JsonObject,
      handle: () => (handle === null ? null : this.#secrets.open(handle as string, placeOf(task.id))),
      heardAt: toDate(heardAt as string),
      polls: polls as number,
    };
  }
}
