import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
  ServerDuplexStream,
} from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import { serviceNameOf } from '../../protocol/flyte/raw-service.ts';
import { executeTaskSyncView } from '../../protocol/flyte/routing-views.ts';
import type { LocalAgents } from '../agents/local-agents.ts';
import type { FlyteLog } from '../source.ts';
import { type CallContext, contextOf, RAW, routedStatus } from './calls.ts';
import { type CallerLimits, limitedStream, limitedUnary } from './limits.ts';
import { type Meter, measuredBidi, measuredStream, measuredUnary } from './measured.ts';
import { ASYNC_SERVICES, type AsyncMethod, type FlyteGeneration, MAX_MESSAGE_BYTES, SYNC_SERVICE } from './methods.ts';
import type { SyncRecord } from './record.ts';
import { fail, relay } from './relay.ts';
import type { Routing } from './routing.ts';

/** The names under which the routed services are listed, described and checked for health. */
export const ROUTED_SERVICES: readonly string[] = [ASYNC_SERVICES[1], ASYNC_SERVICES[2], SYNC_SERVICE].map(
  serviceNameOf,
);

/** What the handlers of the routed services share. */
interface Door {
  readonly routing: Routing;
  readonly meters: Readonly<Record<FlyteGeneration, Meter>>;
  readonly limits: CallerLimits | undefined;
  readonly log: FlyteLog;
}

/** Adds AsyncAgentService, SyncAgentService (Flyte 1) and AsyncConnectorService (Flyte 2) to the server. */
export function addRoutedServices(server: Server, door: Door): void {
  addAsyncService(server, 1, door.routing.local, door);
  // The agents of this process read the first generation's task bodies.
  addAsyncService(server, 2, undefined, door);
  addSyncService(server, door);
}

function addAsyncService(
  server: Server,
  generation: FlyteGeneration,
  local: LocalAgents | undefined,
  { routing, meters, limits, log }: Door,
): void {
  const { [generation]: router } = routing.routers;
  const { [generation]: calls } = routing.calls;
  const { [generation]: meter } = meters;
  const service = ASYNC_SERVICES[generation];
  const unary = (
    operation: AsyncMethod,
    handle: (request: Buffer, context: CallContext) => Promise<Buffer>,
  ): handleUnaryCall<Buffer, Buffer> =>
    measuredUnary(
      operation,
      meter,
      limitedUnary(
        limits,
        (refusal) => routedStatus(refusal, log),
        (call, callback) => {
          const context = contextOf(call);
          handle(call.request, context).then(
            (response) => {
              context.answered();
              callback(null, response);
            },
            (error: unknown) => {
              context.answered();
              callback(routedStatus(error, log));
            },
          );
        },
      ),
    );
  const limited = (handle: handleServerStreamingCall<Buffer, Buffer>) =>
    limitedStream(limits, (call, refusal) => fail(call, refusal, log), handle);

  const getTaskLogs: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const context = contextOf(call);
    const open = async (): Promise<void> => {
      if (local?.ownsJob('getTaskLogs', call.request)) {
        for (const message of await local.getTaskLogs(call.request, context)) call.write(message);
        call.end();
        return;
      }
      const { line, request } = await router.openLogs(call.request, context);
      const { deadline, metadata } = line.context;
      const { path } = service.getTaskLogs;
      const stream = line.use.client.makeServerStreamRequest(path, ...RAW, request, metadata, { deadline });
      relay(stream, call, log, (error) => router.ended(line, error));
    };
    open().catch((error: unknown) => fail(call, error, log));
  };

  server.addService(service, {
    createTask: unary('createTask', (request, context) => calls.createTask(request, context)),
    getTask: unary('getTask', (request, context) => calls.getTask(request, context)),
    deleteTask: unary('deleteTask', (request, context) => calls.deleteTask(request, context)),
    getTaskMetrics: unary('getTaskMetrics', async (request, context) =>
      (local?.ownsJob('getTaskMetrics', request) ? local : router).getTaskMetrics(request, context),
    ),
    getTaskLogs: measuredStream('getTaskLogs', meter, limited(getTaskLogs)),
  });
}

function addSyncService(server: Server, { routing, meters, limits, log }: Door): void {
  const { local, routers } = routing;
  const router = routers[1];
  const executeTaskSync: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    const context = contextOf(call);
    let record: SyncRecord | undefined;
    const open = async (): Promise<void> => {
      const first = await firstMessage(call, context.signal);
      record = routing.recordSync(first);
      if (local?.ownsSync(first)) {
        const answer = await local.executeTaskSync([first, ...(await otherMessages(call, context.signal))], context);
        record?.answered(answer);
        record?.ended();
        call.write(answer);
        call.end();
        return;
      }
      const line = await router.openSync(executeTaskSyncView(first), context);
      const { deadline, metadata } = line.context;
      const { path } = SYNC_SERVICE.executeTaskSync;
      const stream = line.use.client.makeBidiStreamRequest(path, ...RAW, metadata, { deadline });
      stream.on('data', (message: Buffer) => record?.answered(message, line.deployment.id));
      relay(stream, call, log, (error) => {
        router.ended(line, error);
        record?.ended(error);
      });
      stream.write(first);
      call.on('data', (message: Buffer) => {
        if (!stream.write(message)) call.pause();
      });
      stream.on('drain', () => call.resume());
      call.on('end', () => stream.end());
      call.resume();
    };
    open().catch((error: unknown) => {
      record?.ended(error);
      fail(call, error, log);
    });
  };

  const limited = limitedStream(limits, (call, refusal) => fail(call, refusal, log), executeTaskSync);
  server.addService(SYNC_SERVICE, { executeTaskSync: measuredBidi('executeTaskSync', meters[1], limited) });
}

/** The header, which says where the stream goes. The stream is paused after it. */
function firstMessage(call: ServerDuplexStream<Buffer, Buffer>, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    call.once('data', (message: Buffer) => {
      call.pause();
      resolve(message);
    });
    call.once('end', () =>
      reject(new RollcallError('INVALID_INPUT', 'header: must be the first message; the stream ended without one.')),
    );
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** All that follows the header. */
function otherMessages(call: ServerDuplexStream<Buffer, Buffer>, signal: AbortSignal): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const messages: Buffer[] = [];
    let bytes = 0;
    call.on('data', (message: Buffer) => {
      messages.push(message);
      bytes += message.length;
      if (bytes > MAX_MESSAGE_BYTES) reject(new RollcallError('PAYLOAD_TOO_LARGE', 'inputs: exceed 64 MiB together.'));
    });
    call.once('end', () => resolve(messages));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    call.resume();
  });
}
