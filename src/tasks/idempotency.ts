import type { Query } from '../database/drivers.ts';
import { invalid } from '../errors.ts';
import type { SendRequest } from '../protocol/a2a/requests.ts';
import { canonicalDigest, canonicalJson, sha256Hex } from '../protocol/canonical-json.ts';
import type { TaskRow } from './model.ts';
import { TASK_COLUMNS, toTaskRow } from './rows.ts';
import { isMoving } from './states.ts';

/** How long an Idempotency-Key stands for its task, as an SQL interval. */
const KEY_LIFE_SQL = `interval '24 hours'`;
const MAX_KEY = 255;

/** What makes two sends the same one (DESIGN §3.3). */
export interface SendIdentity {
  /** Of owner, agent and content; null when an Idempotency-Key decides instead. */
  readonly joinKey: string | null;
  /** Of owner, agent and the caller's Idempotency-Key. */
  readonly idempotencyKey: string | null;
}

/** @throws RollcallError INVALID_INPUT for a malformed key. */
export function identityOf(
  owner: string,
  agentId: string,
  { message, clientIds }: Pick<SendRequest, 'message' | 'clientIds'>,
  idempotencyKey: string | undefined,
): SendIdentity {
  if (idempotencyKey === undefined) {
    // The message holds its id, its context and its task. In the early era it has none of them: an id that was made for
    // it is another one with every retry, and the ids that the client chose stand for it.
    const { messageId: _, ...content } = message;
    const said =
      clientIds === undefined
        ? canonicalJson(message, 'message')
        : `${canonicalJson(content, 'message')} ${canonicalJson(clientIds)}`;
    return { joinKey: sha256Hex(`${owner} ${agentId} ${said}`), idempotencyKey: null };
  }
  if (!/^[\x20-\x7e]+$/.test(idempotencyKey) || idempotencyKey.length > MAX_KEY) {
    throw invalid('Idempotency-Key', `must be 1 to ${MAX_KEY} printable ASCII characters`);
  }
  return { joinKey: null, idempotencyKey: canonicalDigest([owner, agentId, idempotencyKey]) };
}

/** Whether a repeated send joins this task: while it is at work, and for ten minutes after a recovery took it over. */
export const mayJoin = (row: Pick<TaskRow, 'state' | 'recoveredAt'>): boolean =>
  isMoving(row.state) || (row.recoveredAt !== null && Date.now() - row.recoveredAt.getTime() < 10 * 60_000);

/**
 * The task that has the identity of a send. Undefined when there is none (any more): a key that has had its time is
 * taken away from its task, so that the send may have it.
 */
export async function taskOfIdentity(query: Query, identity: SendIdentity): Promise<TaskRow | undefined> {
  const { joinKey, idempotencyKey } = identity;
  if (idempotencyKey !== null) {
    await query(`delete from task_key where key = $1 and at < now() - ${KEY_LIFE_SQL}`, [idempotencyKey]);
    const rows = await query<Record<string, unknown>>(
      `select ${TASK_COLUMNS} from task_key k join task t on t.id = k.task where k.key = $1`,
      [idempotencyKey],
    );
    return rows.map(toTaskRow)[0];
  }
  const rows = await query<Record<string, unknown>>(`select ${TASK_COLUMNS} from task t where t.join_key = $1`, [
    joinKey,
  ]);
  const row = rows.map(toTaskRow)[0];
  if (row === undefined || mayJoin(row)) return row;
  await query('update task set join_key = null where id = $1 and join_key = $2', [row.id, joinKey]);
  return undefined;
}

/** The task that a send to a known task repeats: mostly that one, with an Idempotency-Key perhaps another. */
export async function repeatedBy(query: Query, identity: SendIdentity, known: TaskRow): Promise<TaskRow | undefined> {
  if (identity.idempotencyKey !== null) return taskOfIdentity(query, identity);
  return known.joinKey === identity.joinKey && mayJoin(known) ? known : undefined;
}

/** Takes an Idempotency-Key for a task. False: another send has it. */
export async function takeKey(query: Query, key: string, taskId: string, at: Date): Promise<boolean> {
  const rows = await query(
    'insert into task_key (key, task, at) values ($1, $2, $3) on conflict do nothing returning key',
    [key, taskId, at.toISOString()],
  );
  return rows.length > 0;
}

/** Keys that are removed in one statement. */
const KEY_BATCH = 1_000;

/** Removes the keys that have had their time; answers how many. Several replicas may do so at once. */
export async function removeOldKeys(query: Query, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (let some = KEY_BATCH; some === KEY_BATCH && !signal.aborted; removed += some) {
    const rows = await query(
      `delete from task_key where key in (
         select key from task_key where at < now() - ${KEY_LIFE_SQL} order by at limit $1 for update skip locked
       ) returning 1 as removed`,
      [KEY_BATCH],
    );
    some = rows.length;
  }
  return removed;
}
