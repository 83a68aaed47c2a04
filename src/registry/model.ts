import type {
  AgentStatus,
  AuthenticationType,
  ExecutionType,
  FlyteGeneration,
  FlyteOperation,
  Visibility,
} from './words.ts';

/** The organisation behind agents. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly url: string | null;
  readonly owner: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One ability of an agent. `key` is the A2A skill id. */
export interface Skill {
  readonly id: string;
  readonly agentId: string;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
  readonly inputModes: readonly string[];
  readonly outputModes: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Where an agent speaks A2A, as its card says; in order of preference. */
export interface AgentInterface {
  readonly url: string;
  /** JSONRPC, HTTP+JSON or GRPC. */
  readonly binding: string;
  /** Major.Minor. */
  readonly protocolVersion: string;
  readonly dialect: 'early' | '0.3' | '1.0';
  readonly tenant?: string;
}

/** An A2A protocol extension that an agent declares. */
export interface AgentExtension {
  readonly uri: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly params?: unknown;
}

/** Something that does work on request. Credentials are not in it: they are write-only. */
export interface Agent {
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly type: string;
  readonly executionType: ExecutionType;
  readonly status: AgentStatus;
  readonly inputModes: readonly string[];
  readonly outputModes: readonly string[];
  readonly capabilities: readonly string[];
  readonly url: string | null;
  readonly interfaces: readonly AgentInterface[];
  readonly documentationUrl: string | null;
  readonly iconUrl: string | null;
  readonly extensions: readonly AgentExtension[];
  readonly provider: Provider | null;
  readonly authenticationType: AuthenticationType;
  /** True when credentials are stored. */
  readonly hasCredentials: boolean;
  readonly streaming: boolean;
  readonly pushNotifications: boolean;
  readonly stateTransitionHistory: boolean;
  /** A task lost between dispatch and first answer may be sent again. */
  readonly retrySafe: boolean;
  readonly flyteName: string | null;
  readonly isSync: boolean;
  readonly owner: string;
  readonly visibility: Visibility;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly revision: number;
}

/** Flyte's (name, version). */
export interface TaskCategory {
  readonly name: string;
  readonly version: number;
}

/** Where an agent serves Flyte's tasks. */
export interface Deployment {
  readonly id: string;
  readonly agentId: string;
  /** `host:port`. For those alone who may change the agent. */
  readonly endpoint: string;
  readonly tls: boolean;
  readonly generation: FlyteGeneration;
  /** Share of new tasks, relative to the agent's other deployments; 0 takes none. */
  readonly weight: number;
  /** Takes no new tasks; its jobs are still polled and deleted. */
  readonly draining: boolean;
  /** Milliseconds, where the operation's own limit shall not hold. */
  readonly timeouts: Readonly<Partial<Record<FlyteOperation, number>>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Calls and failures since registration; `lastUsedAt` null when never used. */
export interface AgentUsage {
  readonly agentId: string;
  readonly calls: number;
  readonly failures: number;
  readonly lastUsedAt: Date | null;
}

/**
 * How long its calls took lately, in milliseconds: from the dispatch of a message until the task rested. The same to
 * within 2.5 % (see latency.ts).
 */
export interface AgentLatency {
  /** Calls that were timed. */
  readonly calls: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What happened to an agent. */
export type AgentAction =
  | 'registered'
  | 'imported'
  | 'refreshed'
  | 'updated'
  | 'statusSet'
  | 'skillAdded'
  | 'skillUpdated'
  | 'skillRemoved'
  | 'taskCategoriesSet'
  | 'deploymentRegistered'
  | 'deploymentUpdated'
  | 'deploymentRemoved'
  | 'deleted';

/** One field's change. Secrets show as "(set)", "(changed)" or "(removed)". */
export interface FieldChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** One accepted change of an agent. */
export interface AgentChange {
  readonly id: string;
  readonly agentId: string;
  readonly revision: number;
  readonly action: AgentAction;
  readonly actor: string;
  readonly at: Date;
  readonly changes: readonly FieldChange[];
}
