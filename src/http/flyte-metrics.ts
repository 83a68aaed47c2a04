import { Counter, Histogram, type Registry } from 'prom-client';

/** How a call about a Flyte task ended. */
export interface FlyteCall {
  /** createTask, getTask, …, executeTaskSync. */
  readonly operation: string;
  /** Empty when it is not known. */
  readonly taskType: string;
  /** A name of gRPC's codes. */
  readonly code: string;
  readonly seconds: number;
  /** Of a new task. */
  readonly inputBytes: number | undefined;
}

/** The operations as flytekit's connectors name them. */
const OPERATIONS: Readonly<Record<string, string>> = {
  createTask: 'create',
  getTask: 'get',
  deleteTask: 'delete',
  getTaskMetrics: 'get_metrics',
  getTaskLogs: 'get_logs',
  executeTaskSync: 'do',
};

/** flytekit labels failures with the codes of HTTP; these are what gRPC's correspond to (google/rpc/code.proto). */
const HTTP_CODES: Readonly<Record<string, string>> = {
  CANCELLED: '499',
  INVALID_ARGUMENT: '400',
  DEADLINE_EXCEEDED: '504',
  NOT_FOUND: '404',
  ALREADY_EXISTS: '409',
  PERMISSION_DENIED: '403',
  UNAUTHENTICATED: '401',
  RESOURCE_EXHAUSTED: '429',
  FAILED_PRECONDITION: '400',
  ABORTED: '409',
  OUT_OF_RANGE: '400',
  UNIMPLEMENTED: '501',
  UNAVAILABLE: '503',
};

/** Metrics of Flyte's tasks, under our names and under flytekit's: dashboards made for its connectors go on working. */
export function createFlyteMetrics(registers: Registry[], buckets: number[]): (call: FlyteCall) => void {
  const labelNames = ['task_type', 'operation'] as const;
  const calls = new Histogram({
    name: 'rollcall_flyte_task_request_seconds',
    help: 'Duration of calls about Flyte tasks',
    labelNames: [...labelNames, 'code'],
    buckets,
    registers,
  });
  const succeeded = new Counter({
    name: 'flyte_connector_requests_success_total',
    help: 'Total number of successful requests',
    labelNames,
    registers,
  });
  const failed = new Counter({
    name: 'flyte_connector_requests_failure_total',
    help: 'Total number of failed requests',
    labelNames: [...labelNames, 'error_code'],
    registers,
  });
  // Summaries in Python, where they have sums and counts alone; prom-client's would pay for quantiles on every call.
  const latency = new Histogram({
    name: 'flyte_connector_request_latency_seconds',
    help: 'Time spent processing agent request',
    labelNames,
    buckets: [],
    registers,
  });
  const inputs = new Histogram({
    name: 'flyte_connector_input_literal_bytes',
    help: 'Size of input literal',
    labelNames: ['task_type'],
    buckets: [],
    registers,
  });
  return ({ operation: method, taskType, code, seconds, inputBytes }) => {
    const task_type = taskType === '' ? 'unknown' : taskType;
    const operation = OPERATIONS[method] ?? method;
    calls.observe({ task_type, operation, code }, seconds);
    if (code === 'OK') succeeded.inc({ task_type, operation });
    else failed.inc({ task_type, operation, error_code: HTTP_CODES[code] ?? '500' });
    latency.observe({ task_type, operation }, seconds);
    if (inputBytes !== undefined) inputs.observe({ task_type }, inputBytes);
  };
}
