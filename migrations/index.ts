import type { Constructor } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import { RegistryAndTasks } from './0001-registry-and-tasks.ts';
import { PushNotifications } from './0002-push-notifications.ts';
import { UsageLatency } from './0003-usage-latency.ts';
import { FlyteDeployments } from './0004-flyte-deployments.ts';
import { FlyteTasks } from './0005-flyte-tasks.ts';
import { Audit } from './0006-audit.ts';
import { TaskLogCompaction } from './0007-task-log-compaction.ts';
import { CardTrust } from './0008-card-trust.ts';
import { AppendOnlyAudit } from './0009-append-only-audit.ts';
import { TaskLogWithoutKey } from './0010-task-log-without-key.ts';
import { TasksWithoutAgentKey } from './0011-tasks-without-agent-key.ts';

/** Every migration, oldest first. They only go forward, and run on PostgreSQL and PGlite alike. */
export const MIGRATIONS: { readonly name: string; readonly class: Constructor<Migration> }[] = [
  { name: '0001-registry-and-tasks', class: RegistryAndTasks },
  { name: '0002-push-notifications', class: PushNotifications },
  { name: '0003-usage-latency', class: UsageLatency },
  { name: '0004-flyte-deployments', class: FlyteDeployments },
  { name: '0005-flyte-tasks', class: FlyteTasks },
  { name: '0006-audit', class: Audit },
  { name: '0007-task-log-compaction', class: TaskLogCompaction },
  { name: '0008-card-trust', class: CardTrust },
  { name: '0009-append-only-audit', class: AppendOnlyAudit },
  { name: '0010-task-log-without-key', class: TaskLogWithoutKey },
  { name: '0011-tasks-without-agent-key', class: TasksWithoutAgentKey },
];
