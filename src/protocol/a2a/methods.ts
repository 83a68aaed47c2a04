import { RollcallError } from '../../errors.ts';
import type { DialectName } from './dialects/dialect.ts';
import type { Operation } from './requests.ts';

/** A route of an HTTP+JSON binding below the agent's base URL; `{name}` is a member of the operation's request. */
export interface HttpRoute {
  readonly verb: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

export interface OperationRow {
  /** Whether the answer is a stream of events. */
  readonly streaming: boolean;
  /** JSON-RPC method names; null where the dialect lacks the operation. */
  readonly jsonRpc: { readonly '1.0': string; readonly '0.3': string | null; readonly early: string | null };
  /** Routes of the HTTP+JSON bindings. The first is what a client uses; a server answers all. */
  readonly http: { readonly '1.0': readonly HttpRoute[]; readonly '0.3-rest': readonly HttpRoute[] };
  /** HTTP status of a success in 1.0's HTTP+JSON binding. */
  readonly status: number;
}

const get = (path: string): HttpRoute => ({ verb: 'GET', path });
const post = (path: string): HttpRoute => ({ verb: 'POST', path });
const remove = (path: string): HttpRoute => ({ verb: 'DELETE', path });
const CONFIGS = '/tasks/{taskId}/pushNotificationConfigs';

/** The operations of specification 1.0 §3.1 in every binding (§5.3, and the same sections of 0.3). */
export const OPERATIONS: { readonly [O in Operation]: OperationRow } = {
  SendMessage: {
    streaming: false,
    jsonRpc: { '1.0': 'SendMessage', '0.3': 'message/send', early: 'tasks/send' },
    http: { '1.0': [post('/message:send')], '0.3-rest': [post('/v1/message:send')] },
    status: 200,
  },
  SendStreamingMessage: {
    streaming: true,
    jsonRpc: { '1.0': 'SendStreamingMessage', '0.3': 'message/stream', early: 'tasks/sendSubscribe' },
    http: { '1.0': [post('/message:stream')], '0.3-rest': [post('/v1/message:stream')] },
    status: 200,
  },
  GetTask: {
    streaming: false,
    jsonRpc: { '1.0': 'GetTask', '0.3': 'tasks/get', early: 'tasks/get' },
    http: { '1.0': [get('/tasks/{id}')], '0.3-rest': [get('/v1/tasks/{id}')] },
    status: 200,
  },
  ListTasks: {
    streaming: false,
    jsonRpc: { '1.0': 'ListTasks', '0.3': null, early: null },
    http: { '1.0': [get('/tasks')], '0.3-rest': [] },
    status: 200,
  },
  CancelTask: {
    streaming: false,
    jsonRpc: { '1.0': 'CancelTask', '0.3': 'tasks/cancel', early: 'tasks/cancel' },
    http: { '1.0': [post('/tasks/{id}:cancel')], '0.3-rest': [post('/v1/tasks/{id}:cancel')] },
    status: 200,
  },
  SubscribeToTask: {
    streaming: true,
    jsonRpc: { '1.0': 'SubscribeToTask', '0.3': 'tasks/resubscribe', early: 'tasks/resubscribe' },
    // The specification's text says POST, its protobuf GET; both are served.
    http: {
      '1.0': [get('/tasks/{id}:subscribe'), post('/tasks/{id}:subscribe')],
      '0.3-rest': [get('/v1/tasks/{id}:subscribe'), post('/v1/tasks/{id}:subscribe')],
    },
    status: 200,
  },
  CreateTaskPushNotificationConfig: {
    streaming: false,
    jsonRpc: {
      '1.0': 'CreateTaskPushNotificationConfig',
      '0.3': 'tasks/pushNotificationConfig/set',
      early: 'tasks/pushNotification/set',
    },
    http: { '1.0': [post(CONFIGS)], '0.3-rest': [post(`/v1${CONFIGS}`)] },
    status: 201,
  },
  GetTaskPushNotificationConfig: {
    streaming: false,
    jsonRpc: {
      '1.0': 'GetTaskPushNotificationConfig',
      '0.3': 'tasks/pushNotificationConfig/get',
      early: 'tasks/pushNotification/get',
    },
    http: { '1.0': [get(`${CONFIGS}/{id}`)], '0.3-rest': [get(`/v1${CONFIGS}/{id}`)] },
    status: 200,
  },
  ListTaskPushNotificationConfigs: {
    streaming: false,
    jsonRpc: { '1.0': 'ListTaskPushNotificationConfigs', '0.3': 'tasks/pushNotificationConfig/list', early: null },
    http: { '1.0': [get(CONFIGS)], '0.3-rest': [get(`/v1${CONFIGS}`)] },
    status: 200,
  },
  DeleteTaskPushNotificationConfig: {
    streaming: false,
    jsonRpc: { '1.0': 'DeleteTaskPushNotificationConfig', '0.3': 'tasks/pushNotificationConfig/delete', early: null },
    http: { '1.0': [remove(`${CONFIGS}/{id}`)], '0.3-rest': [remove(`/v1${CONFIGS}/{id}`)] },
    status: 204,
  },
  GetExtendedAgentCard: {
    streaming: false,
    jsonRpc: { '1.0': 'GetExtendedAgentCard', '0.3': 'agent/getAuthenticatedExtendedCard', early: null },
    http: { '1.0': [get('/extendedAgentCard')], '0.3-rest': [get('/v1/card')] },
    status: 200,
  },
};

export const OPERATION_NAMES = Object.keys(OPERATIONS) as Operation[];

type RpcDialect = Exclude<DialectName, '0.3-rest'>;

/** The dialect of an `A2A-Version` (specification 1.0 §3.6: `Major.Minor`; a patch does not matter). */
const VERSION_DIALECTS: { readonly [version: string]: RpcDialect } = {
  '1.0': '1.0',
  '0.3': '0.3',
  '0.2': '0.3',
  '0.1': 'early',
};

/**
 * The dialect that a version names: undefined for an absent or empty one.
 * @throws RollcallError VERSION_NOT_SUPPORTED
 */
export function dialectOfVersion(version: string | undefined): RpcDialect | undefined {
  const said = version?.trim();
  if (!said) return undefined;
  const majorMinor = /^(\d{1,4}\.\d{1,4})(?:\.[\w.+-]{1,40})?$/.exec(said)?.[1];
  const dialect = majorMinor === undefined ? undefined : VERSION_DIALECTS[majorMinor];
  if (dialect !== undefined) return dialect;
  throw new RollcallError(
    'VERSION_NOT_SUPPORTED',
    `A2A-Version ${JSON.stringify(said.slice(0, 40))} is not supported; use 1.0 or 0.3.`,
  );
}

const byMethod = new Map<string, Map<RpcDialect, Operation>>();
for (const operation of OPERATION_NAMES) {
  for (const [dialect, method] of Object.entries(OPERATIONS[operation].jsonRpc) as [RpcDialect, string | null][]) {
    if (method === null) continue;
    const entry = byMethod.get(method) ?? new Map<RpcDialect, Operation>();
    byMethod.set(method, entry.set(dialect, operation));
  }
}

export interface Detected {
  readonly dialect: RpcDialect;
  readonly operation: Operation;
  /**
   * The method belongs to 0.3 and to the early era, and nothing in the request says which: the dialect stored on the
   * task decides, else 0.3, which is `dialect` here.
   */
  readonly ambiguous: boolean;
}

/**
 * What a JSON-RPC method means. The name decides, then the version must agree with it; an absent version agrees with
 * every name.
 * @param version `A2A-Version`, from the header or else from the query parameter of the same name
 * @throws RollcallError VERSION_NOT_SUPPORTED for a version we do not speak or that has no such method; METHOD_NOT_FOUND
 */
export function detect(method: string, version?: string): Detected {
  const asked = dialectOfVersion(version);
  const meanings = byMethod.get(method);
  if (meanings === undefined) {
    throw new RollcallError('METHOD_NOT_FOUND', `There is no method ${JSON.stringify(method.slice(0, 80))}.`);
  }
  if (asked === undefined) {
    const dialect = (['1.0', '0.3', 'early'] as const).find((name) => meanings.has(name)) as RpcDialect;
    return { dialect, operation: meanings.get(dialect) as Operation, ambiguous: meanings.size > 1 };
  }
  const operation = meanings.get(asked);
  if (operation === undefined) {
    const others = [...meanings.keys()].map((name) => (name === 'early' ? '0.1' : name)).join(' and ');
    throw new RollcallError(
      'VERSION_NOT_SUPPORTED',
      `${method} belongs to A2A ${others}, but the request says A2A-Version ${version?.trim()}: make them agree.`,
    );
  }
  return { dialect: asked, operation, ambiguous: false };
}

/** Whether a method exists in the early era alone: its requests may leave out `jsonrpc`. */
export const isEarlyOnly = (method: unknown): boolean => {
  const meanings = typeof method === 'string' ? byMethod.get(method) : undefined;
  return meanings?.size === 1 && meanings.has('early');
};
