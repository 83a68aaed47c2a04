import {
  AsyncAgentServiceService,
  SyncAgentServiceService,
} from '../../protocol/flyte/generated/flyteidl/service/agent.ts';
import { AsyncConnectorServiceService } from '../../protocol/flyte/generated/flyteidl2/connector/service.ts';
import { rawService } from '../../protocol/flyte/raw-service.ts';

/**
 * Flyte's two generations. Their task bodies differ, so a task goes only to deployments of its caller's generation; what
 * routes it has the same numbers in both.
 */
export type FlyteGeneration = 1 | 2;

/** The services for jobs, bytes in and bytes out. */
export const ASYNC_SERVICES = {
  1: rawService(AsyncAgentServiceService),
  2: rawService(AsyncConnectorServiceService),
} as const satisfies Record<FlyteGeneration, unknown>;

/** The service for synchronous work, which the first generation alone has. */
export const SYNC_SERVICE = rawService(SyncAgentServiceService);

/** A method of the services for jobs. */
export type AsyncMethod = keyof (typeof ASYNC_SERVICES)[FlyteGeneration];

/** Where the requests about a job carry their category: the numbers differ. */
export const CATEGORY_FIELDS = { getTask: 3, deleteTask: 3, getTaskMetrics: 7, getTaskLogs: 5 } as const;

/** A method of a job that was created before. */
export type JobOperation = keyof typeof CATEGORY_FIELDS;

/** Literals travel inside the messages: grpc's default of 4 MiB refuses tasks that run elsewhere. */
export const MAX_MESSAGE_BYTES: number = 64 * 1024 * 1024;
