import DataLoader from 'dataloader';
import type { Principal } from '../auth/principal.ts';
import type { PushDelivery, StoredPushConfig } from '../tasks/tasks.ts';
import type { Core } from './context.ts';

/** So many of the newest attempts of a webhook. */
export interface WantedDeliveries {
  readonly config: StoredPushConfig;
  readonly last: number;
}

export interface PushLoaders {
  readonly ofTask: DataLoader<string, StoredPushConfig[]>;
  readonly deliveries: DataLoader<WantedDeliveries, PushDelivery[]>;
}

/** Without a cache, as in loaders.ts. */
const OPTIONS = { cache: false, maxBatchSize: 1_000 };

/** The webhooks of many tasks in two statements, and the delivery logs of many webhooks in one. */
export const pushLoaders = ({ tasks: { push } }: Core, principal: Principal): PushLoaders => ({
  ofTask: new DataLoader((ids: readonly string[]) => push.ofTasks(principal, ids), OPTIONS),
  deliveries: new DataLoader<WantedDeliveries, PushDelivery[]>(async (wanted) => {
    const logs = await push.deliveriesOf(
      wanted.map(({ config }) => config),
      Math.max(...wanted.map(({ last }) => last)),
    );
    return logs.map((log, i) => log.slice(0, wanted[i]!.last));
  }, OPTIONS),
});
