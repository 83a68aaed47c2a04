import type { Query } from '../../database/drivers.ts';
import { toDate } from '../../database/values.ts';
import { RollcallError } from '../../errors.ts';
import { taskNotFound } from '../access.ts';
import { KEPT_DELIVERIES, MAX_CONFIGS, type PushDelivery, type StoredPushConfig } from './model.ts';
import type { SealedConfig } from './registration.ts';

type Row = Record<string, unknown>;

const COLUMNS = `c.id, c.task as "taskId", c.name, c.url, c.token is not null as "hasToken", c.scheme,
  c.credentials is not null as "hasCredentials", c.dialect, c.state, c.cursor, c.attempts,
  case when c.state = 'active' and c.cursor < c.head then c.next_at end as "nextAt", c.created_at as "createdAt"`;

function toConfig(row: Row): StoredPushConfig {
  const { nextAt, createdAt, cursor } = row;
  return {
    ...row,
    cursor: Number(cursor),
    nextAt: nextAt === null ? null : toDate(nextAt as string),
    createdAt: toDate(createdAt as string),
  } as StoredPushConfig;
}

/**
 * Stores a webhook of a task that is there; one of the same name is replaced, and goes on where that was. It gets what
 * the log gains from now on. Call it in a transaction: the row of the task is locked, so that no event falls in between.
 *
 * @throws RollcallError TASK_NOT_FOUND, FAILED_PRECONDITION (too many).
 */
export async function saveConfig(query: Query, config: SealedConfig): Promise<StoredPushConfig> {
  const tasks = await query<{ head: number; ended: boolean }>(
    `update task set push = true where id = $1 returning last_sequence as head, finished_at is not null as ended`,
    [config.taskId],
  );
  const task = tasks[0];
  if (task === undefined) throw taskNotFound(config.taskId);
  const rows = await query<Row>(
    `insert into push_config as c (id, task, name, url, token, scheme, credentials, dialect, cursor, head, ended, state, next_at, created_at, updated_at)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, case when $10 then 'done' else 'active' end, now(), now(), now()
     where (select count(*) from push_config where task = $2 and name <> $3) < ${MAX_CONFIGS}
     on conflict (task, name) do update set
       url = excluded.url, token = excluded.token, scheme = excluded.scheme, credentials = excluded.credentials,
       dialect = excluded.dialect, attempts = 0, next_at = now(), updated_at = now(),
       state = case when c.ended and c.cursor >= c.head then 'done' else 'active' end,
       lease_replica = null, lease_until = null, lease_epoch = c.lease_epoch + 1
     returning ${COLUMNS}`,
    [
      config.id,
      config.taskId,
      config.name,
      config.url,
      config.token,
      config.scheme,
      config.credentials,
      config.dialect,
      Number(task.head),
      task.ended,
    ],
  );
  const row = rows[0];
  if (row !== undefined) return toConfig(row);
  throw new RollcallError(
    'FAILED_PRECONDITION',
    `Task ${config.taskId} has ${MAX_CONFIGS} push notification configs already: delete one, or replace one by its id.`,
  );
}

/** One webhook of a task: that of the name, else the one that dialects with one for each task made, else the oldest. */
export async function findConfig(
  query: Query,
  taskId: string,
  name: string | undefined,
): Promise<StoredPushConfig | undefined> {
  const rows = await query<Row>(
    `select ${COLUMNS} from push_config c where c.task = $1 and ($2::text is null or c.name = $2)
     order by (c.name = c.task::text) desc, c.id limit 1`,
    [taskId, name ?? null],
  );
  return rows.map(toConfig)[0];
}

/** The webhooks of tasks, oldest first. */
export async function configsOf(query: Query, taskIds: readonly string[]): Promise<Map<string, StoredPushConfig[]>> {
  const rows = await query<Row>(
    `select ${COLUMNS} from push_config c where c.task = any($1::uuid[]) order by c.task, c.id`,
    [taskIds],
    'push-configs-of',
  );
  return Map.groupBy(rows.map(toConfig), (config) => config.taskId);
}

/** Answers the webhook as it was; undefined when there was none. */
export async function deleteConfig(query: Query, taskId: string, name: string): Promise<StoredPushConfig | undefined> {
  const rows = await query<Row>(`delete from push_config c where c.task = $1 and c.name = $2 returning ${COLUMNS}`, [
    taskId,
    name,
  ]);
  return rows.map(toConfig)[0];
}

/** Whether an owner has as many webhooks that still deliver, to all their tasks together. */
export async function hasConfigs(query: Query, owner: string, many: number): Promise<boolean> {
  const rows = await query<{ n: number }>(
    `select count(*)::int as n from (select 1 from push_config c join task t on t.id = c.task
     where c.state = 'active' and t.owner = $1 limit $2) s`,
    [owner, many],
    'push-configs-of-owner',
  );
  return rows[0]!.n >= many;
}

/** The newest attempts of each webhook, newest first. */
export async function deliveriesOf(
  query: Query,
  configIds: readonly string[],
  last: number,
): Promise<Map<string, PushDelivery[]>> {
  const rows = await query<Row & { config: string }>(
    `select d.config, d.sequence, d.attempt, d.outcome, d.status, d.error, d.duration_ms as "durationMs", d.at
     from unnest($1::uuid[]) as c(id)
     cross join lateral (select * from push_delivery where config = c.id order by number desc limit $2) d
     order by d.config, d.number desc`,
    [configIds, Math.min(last, KEPT_DELIVERIES)],
    'push-deliveries-of',
  );
  const grouped = Map.groupBy(rows, (row) => row.config);
  return new Map(
    [...grouped].map(([config, list]) => [
      config,
      list.map(
        ({ config: _, ...row }) =>
          ({ ...row, sequence: Number(row['sequence']), at: toDate(row['at'] as string) }) as unknown as PushDelivery,
      ),
    ]),
  );
}

/** Notifications that wait to be delivered. Cheap enough to be asked with each scrape: only what is behind is indexed. */
export async function backlogOf(query: Query): Promise<number> {
  const rows = await query<{ n: number }>(
    `select coalesce(sum(head - cursor), 0)::bigint as n from push_config where state = 'active' and cursor < head`,
  );
  return Number(rows[0]?.n ?? 0);
}
