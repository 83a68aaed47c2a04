/** A task category: what Flyte looks an agent up by. */
export interface FlyteCategory {
  readonly name: string;
  /** Task type version, an int32; 0 unless the task says otherwise. */
  readonly version: number;
}

/** An agent as Flyte is told about it. */
export interface FlyteAgentRow {
  /** Unique; GetAgent asks by it. */
  readonly name: string;
  /** True: ExecuteTaskSync. False: CreateTask, GetTask and DeleteTask. */
  readonly isSync: boolean;
  readonly categories: readonly FlyteCategory[];
}

/** Where the metadata services get their rows. It may be slow and it may fail: no call ever waits for it. */
export interface FlyteSource {
  /** Every agent that Flyte may use, in any order. */
  list(): Promise<readonly FlyteAgentRow[]>;
  /** Calls the listener after each change of what `list` answers; the result unsubscribes. */
  onChange(listener: () => void): () => void;
}

/** The part of a pino logger that this room uses. Bodies of requests are never logged: they may carry secrets. */
export interface FlyteLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
