import { A2AService, type GrpcServiceOptions, grpcService, UserBuilder } from '@a2a-js/sdk/server/grpc';
import { type Metadata, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js';

/** The gRPC door of a third-party agent. */
export interface SdkGrpc {
  /** `host:port`. */
  readonly address: string;
  /** The metadata of every call, oldest first. */
  readonly metadata: Record<string, unknown>[];
  close(): void;
}

/** Opens the gRPC binding of the A2A project's own server. `authorize` answers false to refuse a call. */
export async function startSdkGrpc(
  requestHandler: GrpcServiceOptions['requestHandler'],
  authorize: (metadata: Metadata) => boolean = () => true,
): Promise<SdkGrpc> {
  const metadata: SdkGrpc['metadata'] = [];
  const server = new Server();
  const handlers = grpcService({ requestHandler, userBuilder: UserBuilder.noAuthentication });
  const refusal = { code: status.UNAUTHENTICATED, details: 'who are you' };
  const watched = Object.entries(handlers).map(([name, handler]) => [
    name,
    (call: ServerUnaryCall<never, never>, answer?: (error: object) => void) => {
      metadata.push(call.metadata.getMap());
      if (authorize(call.metadata)) (handler as unknown as (...all: unknown[]) => void)(call, answer);
      else if (answer !== undefined) answer(refusal);
      else call.emit('error', refusal);
    },
  ]);
  server.addService(A2AService, Object.fromEntries(watched));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, metadata, close: () => server.forceShutdown() };
}
