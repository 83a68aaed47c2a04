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
import { ASYNC_SERVICES, type FlyteGeneration, type JobOperation, MAX_MESSAGE_BYTES, SYNC_SERVICE } from './methods.ts';
import { fail, relay } from './relay.ts';
import type { FlyteRouter } from './router.ts';

/** The names under which the routed services are listed, described and checked for health. */
export const ROUTED_SERVICES: readonly string[] = [ASYNC_SERVICES[1], ASYNC_SERVICES[2], SYNC_SERVICE].map(
  serviceNameOf,
);

/** Adds AsyncAgentService, SyncAgentService (Flyte 1) and AsyncConnectorService (Flyte 2) to the server. */
export function addRoutedServices(
  server: Server,
  routers: Readonly<Record<FlyteGeneration, FlyteRouter>>,
  local: LocalAgents | undefined,
  log: FlyteLog,
): void {
  addAsyncService(server, 1, routers[1], local, log);
  // The agents of this process read the first generation's task bodies.
  addAsyncService(server, 2, routers[2], undefined, log);
  addSyncService(server, routers[1], local, log);
}

function addAsyncService(
  server: Server,
  generation: FlyteGeneration,
  router: FlyteRouter,
  local: LocalAgents | undefined,
  log: FlyteLog,
): void {
  const service = ASYNC_SERVICES[generation];
  const unary =
    (handle: (request: Buffer, context: CallContext) => Promise<Buffer>): handleUnaryCall<Buffer, Buffer> =>
    (call, callback) => {
      handle(call.request, contextOf(call)).then(
        (response) => callback(null, response),
        (error: unknown) => callback(routedStatus(error, log)),
      );
    };

  /** The agents of this process when the job is theirs, else the router. */
  const ownerOf = (operation: JobOperation, request: Buffer): LocalAgents | FlyteRouter =>
    local?.ownsJob(operation, request) ? local : router;

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
    createTask: unary(async (request, context) =>
      (local?.ownsNew(request) ? local : router).createTask(request, context),
    ),
    getTask: unary(async (request, context) => ownerOf('getTask', request).getTask(request, context)),
    deleteTask: unary(async (request, context) => ownerOf('deleteTask', request).deleteTask(request, context)),
    getTaskMetrics: unary(async (request, context) =>
      ownerOf('getTaskMetrics', request).getTaskMetrics(request, context),
    ),
    getTaskLogs,
  });
}

function addSyncService(server: Server, router: FlyteRouter, local: LocalAgents | undefined, log: FlyteLog): void {
  const executeTaskSync: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    const context = contextOf(call);
    const open = async (): Promise<void> => {
      const first = await firstMessage(call, context.signal);
      if (local?.ownsSync(first)) {
        call.write(await local.executeTaskSync([first, ...(await otherMessages(call, context.signal))], context));
        call.end();
        return;
      }
      const line = await router.openSync(executeTaskSyncView(first), context);
      const { deadline, metadata } = line.context;
      const { path } = SYNC_SERVICE.executeTaskSync;
      const stream = line.use.client.makeBidiStreamRequest(path, ...RAW, metadata, { deadline });
      relay(stream, call, log, (error) => router.ended(line, error));
      stream.write(first);
      call.on('data', (message: Buffer) => {
        if (!stream.write(message)) call.pause();
      });
      stream.on('drain', () => call.resume());
      call.on('end', () => stream.end());
      call.resume();
    };
    open().catch((error: unknown) => fail(call, error, log));
  };

  server.addService(SYNC_SERVICE, { executeTaskSync });
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
