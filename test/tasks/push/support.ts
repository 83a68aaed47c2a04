import { expect } from 'vitest';
import type { StoredPushConfig } from '../../../src/tasks/tasks.ts';
import { type Received, type Reply, startWebhook } from '../../support/webhook.ts';
import { onCleanup, type Stack } from '../support.ts';

/** A receiver that ends with the test. */
export async function webhook(reply?: (received: Received, n: number) => Reply) {
  const hook = await startWebhook(reply);
  onCleanup(() => hook.close());
  return hook;
}

/** What a 1.0 notification tells, in a word: `submitted`, `working`, `chunk a`. */
export function told({ body }: Received): string {
  if (body['task']) return String(body['task'].status.state).replace('TASK_STATE_', '').toLowerCase();
  if (body['statusUpdate']) return String(body['statusUpdate'].status.state).replace('TASK_STATE_', '').toLowerCase();
  if (body['artifactUpdate']) return `chunk ${body['artifactUpdate'].artifact.parts.map((it: any) => it.text)}`;
  return Object.keys(body).join();
}

/** The one webhook of a task, once it is as it is looked for. */
export async function settled(
  { tasks, me }: Pick<Stack, 'tasks' | 'me'>,
  taskId: string,
  done: (config: StoredPushConfig) => boolean = ({ state }) => state !== 'active',
): Promise<StoredPushConfig> {
  await expect.poll(async () => done(await tasks.push.get(me, taskId))).toBe(true);
  return tasks.push.get(me, taskId);
}

/** The delivery log of a webhook, oldest first. */
export async function logOf({ tasks }: Pick<Stack, 'tasks'>, config: StoredPushConfig) {
  const [log] = await tasks.push.deliveriesOf([config], 100);
  return log!.toReversed();
}
