import {
  type ChannelOptions,
  Client,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerOptions,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

export type Bytes = Buffer<ArrayBufferLike>;
export type Unary = handleUnaryCall<Bytes, Bytes>;

export const PATH = '/test.Service/Method';
export const same = (bytes: Bytes): Bytes => bytes;

/** A client that is connected; until the test has ended. */
export async function clientOf(port: number, options: ChannelOptions = {}): Promise<Client> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  onTestFinished(() => client.close());
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error))),
  );
  return client;
}

/** A grpc-js server of one method that takes and gives bytes; until the test has ended. */
export async function startServer(
  handle: Unary,
  options: ServerOptions = {},
  responseSerialize = same,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...options });
  const method = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize,
    responseDeserialize: same,
  } as const;
  server.addService({ method }, { method: handle });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  return { server, port };
}
