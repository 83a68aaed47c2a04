import { isUuid } from '../database/ids.ts';
import type { PushConfig } from '../protocol/a2a/model.ts';
import type { PushListRequest, PushListResult } from '../protocol/a2a/requests.ts';
import type { StoredPushConfig } from '../tasks/tasks.ts';
import type { A2aCore, Call } from './call.ts';
import { findTask } from './find-task.ts';
import { notPageToken } from './page-token.ts';

/** A webhook as it is answered: token and credentials are written and never read (specification 1.0 §4.3.3 makes them optional). */
const shown = ({ name, taskId, url, scheme }: StoredPushConfig): PushConfig => ({
  id: name,
  taskId,
  url,
  ...(scheme === null ? {} : { authentication: { scheme } }),
});

/** @throws RollcallError INVALID_INPUT for what is no token of ours. */
function pageOf(
  configs: readonly StoredPushConfig[],
  { pageSize, pageToken }: Pick<PushListRequest, 'pageSize' | 'pageToken'>,
): PushListResult {
  if (pageToken !== undefined && pageToken !== '' && !isUuid(pageToken)) {
    throw notPageToken();
  }
  // Ids sort by the time they were made, and so does the list.
  const rest = pageToken ? configs.filter(({ id }) => id > pageToken) : configs;
  const page = pageSize === undefined || pageSize === 0 ? rest : rest.slice(0, pageSize);
  const nextPageToken = page.length < rest.length ? page.at(-1)!.id : '';
  return { configs: page.map(shown), nextPageToken };
}

/**
 * The operations on webhooks, once for all bindings and dialects (specification 1.0 §3.1.7 to §3.1.10).
 *
 * @throws RollcallError TASK_NOT_FOUND, INVALID_INPUT, EGRESS_DENIED, UPSTREAM_UNREACHABLE, FAILED_PRECONDITION,
 *   UNAUTHENTICATED, FORBIDDEN.
 */
export const PUSH_HANDLERS = {
  async CreateTaskPushNotificationConfig(core: A2aCore, call: Call, config: PushConfig & { readonly taskId: string }) {
    const { row, ...answering } = await findTask(core, call, config.taskId);
    const stored = await core.tasks.push.create(call.principal, row.id, config, call.dialect);
    return { ...answering, result: shown(stored) };
  },

  async GetTaskPushNotificationConfig(core: A2aCore, call: Call, request: { taskId: string; id?: string }) {
    const { row, ...answering } = await findTask(core, call, request.taskId);
    return { ...answering, result: shown(await core.tasks.push.get(call.principal, row.id, request.id)) };
  },

  async ListTaskPushNotificationConfigs(core: A2aCore, call: Call, request: PushListRequest) {
    const { row, ...answering } = await findTask(core, call, request.taskId);
    return { ...answering, result: pageOf(await core.tasks.push.list(call.principal, row.id), request) };
  },

  async DeleteTaskPushNotificationConfig(core: A2aCore, call: Call, request: { taskId: string; id: string }) {
    const { row, ...answering } = await findTask(core, call, request.taskId);
    await core.tasks.push.delete(call.principal, row.id, request.id);
    return { ...answering, result: null };
  },
};
