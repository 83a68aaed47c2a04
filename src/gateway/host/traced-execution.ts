import { getOperationAST } from 'graphql';
import type { Tracing } from '../../telemetry.ts';
import { type ExecRequest, type ExecResult, isAsyncIterable } from '../engine.ts';
import { mapEvents, whenEnded } from '../event-stream.ts';
import type { EngineUse } from './engine-use.ts';

/** Runs an operation under a span of its own; a stream's span is open as long as the stream. */
export async function tracedExecution(tracing: Tracing, use: EngineUse, request: ExecRequest): Promise<ExecResult> {
  const name = getOperationAST(request.document, request.operationName)?.name?.value;
  const span = tracing.begin(
    name === undefined ? request.operationType : `${request.operationType} ${name}`,
    {
      'graphql.operation.type': request.operationType,
      ...(name === undefined ? {} : { 'graphql.operation.name': name }),
    },
    request.context.headers,
  );
  try {
    const result = await use.execute({ ...request, trace: span });
    if (isAsyncIterable(result)) {
      const ending = whenEnded(result, () => span.end());
      return mapEvents(ending, (event) => event, request.signal);
    }
    span.end(result.errors === undefined ? undefined : 'the answer has errors');
    return result;
  } catch (thrown) {
    span.end('failed');
    throw thrown;
  }
}
