import { MemPubSub } from '@graphql-hive/pubsub';

/** What is published about a registry change. Enough to decide who may hear of it without a query. */
export interface AgentEvent {
  readonly agentId: string;
  readonly handle: string;
  readonly action: string;
  readonly revision: number;
  readonly owner: string;
  readonly visibility: 'public' | 'internal' | 'private';
  /** ISO 8601. */
  readonly at: string;
}

/** What is published when events of a task are committed: the log has them; this is the call to read it. */
export interface TaskEventNotice {
  readonly taskId: string;
  readonly agentId: string;
  readonly owner: string;
  readonly state: string;
  /** The newest sequence that is committed. */
  readonly sequence: number;
}

/** What is published when a task came into another state, after the commit. Enough to decide who hears of it without a query. */
export interface TaskStateNotice {
  readonly taskId: string;
  readonly agentId: string;
  readonly contextId: string;
  readonly owner: string;
  /** Null: the task begins. */
  readonly from: string | null;
  readonly to: string;
  /** The entry of the log that did it. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Every topic, and what is published on it. Messages are JSON: a broker may carry them between replicas. */
export type Topics = {
  agent: AgentEvent;
  task: TaskEventNotice;
  taskState: TaskStateNotice;
} & { [perTask: `task:${string}`]: TaskEventNotice };

/** Publish and subscribe. Delivery is at most once and in order per topic; who must not miss anything reads the database. */
export interface Events {
  publish<T extends keyof Topics & string>(topic: T, message: Topics[T]): void;
  /** Calls `listener` for each message until the answered function is called. */
  on<T extends keyof Topics & string>(topic: T, listener: (message: Topics[T]) => void): () => void;
  close(): Promise<void>;
}

/** Events within this process. */
export function createMemoryEvents(): Events {
  const pubsub = new MemPubSub<Topics>();
  return {
    publish: (topic, message) => void pubsub.publish(topic, message as never),
    on: (topic, listener) => {
      const unsubscribe = pubsub.subscribe(topic, listener as never);
      return () => void (unsubscribe as () => void)();
    },
    async close() {
      await pubsub.dispose();
    },
  };
}
