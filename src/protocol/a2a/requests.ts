import type { JsonObject, Message, PushConfig, SendResult, StreamEvent, Task, TaskState } from './model.ts';

/** The ids that an early-era client chose itself: its task id, and its session. The caller maps them to real ids. */
export interface ClientIds {
  readonly taskId: string;
  readonly contextId?: string;
}

export interface SendConfiguration {
  readonly acceptedOutputModes?: readonly string[];
  readonly taskPushNotificationConfig?: PushConfig;
  /** Absent: the server's default; 0: no history; n: the n most recent messages. */
  readonly historyLength?: number;
  /** Absent or false: wait until the task is terminal or interrupted. */
  readonly returnImmediately?: boolean;
}

export interface SendRequest {
  readonly tenant?: string;
  readonly message: Message;
  readonly configuration?: SendConfiguration;
  readonly metadata?: JsonObject;
  /** Present only where the dialect lets clients choose ids; `message` then carries neither taskId nor contextId. */
  readonly clientIds?: ClientIds;
}

export interface GetRequest {
  readonly tenant?: string;
  readonly id: string;
  readonly historyLength?: number;
  readonly metadata?: JsonObject;
}

export interface ListRequest {
  readonly tenant?: string;
  readonly contextId?: string;
  readonly status?: TaskState;
  /** 1 to 100. */
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly historyLength?: number;
  /** Inclusive: tasks whose status is this old or younger. */
  readonly statusTimestampAfter?: string;
  readonly includeArtifacts?: boolean;
}

export interface CancelRequest {
  readonly tenant?: string;
  readonly id: string;
  readonly metadata?: JsonObject;
}

export interface SubscribeRequest {
  readonly tenant?: string;
  readonly id: string;
  readonly historyLength?: number;
  readonly metadata?: JsonObject;
}

/** A {@link PushConfig} for a task that exists. */
export interface PushCreateRequest extends PushConfig {
  readonly taskId: string;
}

export interface PushGetRequest {
  readonly tenant?: string;
  readonly taskId: string;
  /** Absent in the dialects that know one config per task: the only or the first one. */
  readonly id?: string;
  readonly metadata?: JsonObject;
}

export interface PushListRequest {
  readonly tenant?: string;
  readonly taskId: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly metadata?: JsonObject;
}

export interface PushDeleteRequest {
  readonly tenant?: string;
  readonly taskId: string;
  readonly id: string;
  readonly metadata?: JsonObject;
}

export interface ExtendedCardRequest {
  readonly tenant?: string;
}

export interface ListResult {
  readonly tasks: readonly Task[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  readonly pageSize: number;
  readonly totalSize: number;
}

export interface PushListResult {
  readonly configs: readonly PushConfig[];
  readonly nextPageToken: string;
}

/** What each operation of specification 1.0 §3.1 takes, keyed by its JSON-RPC method name. */
export interface RequestOf {
  readonly SendMessage: SendRequest;
  readonly SendStreamingMessage: SendRequest;
  readonly GetTask: GetRequest;
  readonly ListTasks: ListRequest;
  readonly CancelTask: CancelRequest;
  readonly SubscribeToTask: SubscribeRequest;
  readonly CreateTaskPushNotificationConfig: PushCreateRequest;
  readonly GetTaskPushNotificationConfig: PushGetRequest;
  readonly ListTaskPushNotificationConfigs: PushListRequest;
  readonly DeleteTaskPushNotificationConfig: PushDeleteRequest;
  readonly GetExtendedAgentCard: ExtendedCardRequest;
}

/** What each operation answers; the streaming ones, per event. A card is the card room's affair and passes as it is. */
export interface ResultOf {
  readonly SendMessage: SendResult;
  readonly SendStreamingMessage: StreamEvent;
  readonly GetTask: Task;
  readonly ListTasks: ListResult;
  readonly CancelTask: Task;
  readonly SubscribeToTask: StreamEvent;
  readonly CreateTaskPushNotificationConfig: PushConfig;
  readonly GetTaskPushNotificationConfig: PushConfig;
  readonly ListTaskPushNotificationConfigs: PushListResult;
  readonly DeleteTaskPushNotificationConfig: null;
  readonly GetExtendedAgentCard: unknown;
}

export type Operation = keyof RequestOf;
/** Operations that answer with one value instead of a stream. */
export type UnaryOperation = Exclude<Operation, 'SendStreamingMessage' | 'SubscribeToTask'>;
