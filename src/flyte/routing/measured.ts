import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { codeName } from '../../grpc/observed.ts';
import { type CategoryKey, createTaskView, executeTaskSyncView, jobView } from '../../protocol/flyte/routing-views.ts';
import { sparse } from '../../protocol/flyte/wire.ts';
import { resultOf } from '../recording/sync-tasks.ts';
import type { FlyteOperation } from './deployments.ts';
import { CATEGORY_FIELDS } from './methods.ts';

/** How a call about a task ended. */
export interface EndedTaskCall {
  readonly operation: FlyteOperation;
  /** Empty when the call named none, or one that no agent has: callers must not be able to make up labels. */
  readonly taskType: string;
  /** A name of gRPC's codes. */
  readonly code: string;
  readonly seconds: number;
  /** Size of the inputs that a new task came with. */
  readonly inputBytes: number | undefined;
}

/** Tells of calls when they ended. */
export interface Meter {
  readonly onTaskCall: (call: EndedTaskCall) => void;
  /** Whether an agent has that category. */
  readonly knows: (category: CategoryKey) => boolean;
}

type Unary = handleUnaryCall<Buffer, Buffer>;
type Streaming = handleServerStreamingCall<Buffer, Buffer>;
type Bidi = handleBidiStreamingCall<Buffer, Buffer>;

const categoryOf = (operation: FlyteOperation, request: Buffer): CategoryKey => {
  if (operation === 'createTask') return createTaskView(request).category;
  if (operation === 'executeTaskSync') return executeTaskSyncView(request).category;
  return jobView(request, CATEGORY_FIELDS[operation]).category;
};

function taskTypeOf(operation: FlyteOperation, request: Buffer, meter: Meter): string {
  try {
    const category = categoryOf(operation, request);
    return meter.knows(category) ? category.name : '';
  } catch {
    // The caller has been told what is wrong with its request.
    return '';
  }
}

/** Tells the meter of one call. The request may come later than the call. */
function begin(operation: FlyteOperation, meter: Meter) {
  const begun = performance.now();
  let over = false;
  return (request: Buffer | undefined, code: number): void => {
    if (over) return;
    over = true;
    const seconds = (performance.now() - begun) / 1_000;
    const taskType = request === undefined ? '' : taskTypeOf(operation, request, meter);
    const isNew = operation === 'createTask' && taskType !== '' && request !== undefined;
    const inputBytes = isNew ? sparse(request).bytes(1).length : undefined;
    meter.onTaskCall({ operation, taskType, code: codeName(code), seconds, inputBytes });
  };
}

/** The handler of a method, measured. */
export const measuredUnary =
  (operation: FlyteOperation, meter: Meter, handle: Unary): Unary =>
  (call, callback) => {
    const end = begin(operation, meter);
    handle(call, (error, ...answer) => {
      callback(error, ...answer);
      end(call.request, error === null ? status.OK : (error.code ?? status.UNKNOWN));
    });
  };

/** As {@link measuredUnary}, for a method that streams its answer. */
export const measuredStream =
  (operation: FlyteOperation, meter: Meter, handle: Streaming): Streaming =>
  (call) => {
    watch(call, begin(operation, meter), () => call.request);
    handle(call);
  };

/** As {@link measuredUnary}, for a method that streams both ways and says in its first message what it is about. */
export const measuredBidi =
  (operation: FlyteOperation, meter: Meter, handle: Bidi): Bidi =>
  (call) => {
    let first: Buffer | undefined;
    // Both listeners are there before the first message flows: neither takes it from the other.
    call.once('data', (message: Buffer) => {
      first = message;
    });
    let isAnswered = false;
    const write = call.write.bind(call) as (message: Buffer) => boolean;
    call.write = (message: Buffer): boolean => {
      isAnswered ||= resultOf(message, false) !== undefined;
      return write(message);
    };
    watch(
      call,
      begin(operation, meter),
      () => first,
      () => isAnswered,
    );
    handle(call);
  };

function watch(
  call: Parameters<Streaming>[0] | Parameters<Bidi>[0],
  end: (request: Buffer | undefined, code: number) => void,
  request: () => Buffer | undefined,
  isAnswered: () => boolean = () => false,
): void {
  let failed: number | undefined;
  call.once('error', (error: Partial<ServiceError>) => {
    failed = error.code ?? status.UNKNOWN;
  });
  call.once('finish', () => end(request(), failed ?? status.OK));
  // Also comes when we ended the call ourselves, and then before "finish"; and when a caller that has its result leaves.
  call.once('cancelled', () => {
    const isDone = call.writableEnded || isAnswered();
    end(request(), failed ?? (isDone ? status.OK : status.CANCELLED));
  });
}
