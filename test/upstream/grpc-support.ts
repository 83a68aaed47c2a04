import {
  type Client,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onCleanup } from './egress-support.ts';

const same = (value: Buffer): Buffer => value;

/** A method whose messages are bytes: tests decide what is in them. */
export const method = (path: string, responseStream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

export type Unary = (
  call: ServerUnaryCall<Buffer, Buffer>,
  answer: (error: Partial<ServiceError> | null, value?: Buffer) => void,
) => void;
export type Streaming = (call: ServerWritableStream<Buffer, Buffer>) => void;

export interface Bound {
  readonly server: Server;
  readonly port: number;
}

/** Starts a gRPC server on loopback; it ends with the test. */
export async function bind(
  methods: ServiceDefinition,
  handlers: UntypedServiceImplementation,
  { host = '127.0.0.1', port = 0, credentials = ServerCredentials.createInsecure(), options = {} } = {},
): Promise<Bound> {
  const server = new Server(options);
  server.addService(methods, handlers);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, got) =>
      error === null ? resolve(got) : reject(error),
    );
  });
  onCleanup(async () => server.forceShutdown());
  return { server, port: bound };
}

export interface EchoServer extends Bound {
  /** The :authority of every call, oldest first. */
  readonly authorities: string[];
  /** `ip:port` of the client of every call: one per connection. */
  readonly peers: string[];
  /** Streams that are open now. */
  readonly open: Set<ServerWritableStream<Buffer, Buffer>>;
}

const SAY = '/test.Echo/Say';
const LISTEN = '/test.Echo/Listen';

/** A gRPC server that answers with `reply`, and keeps streams open after one message. */
export async function echoServer(reply = 'ok', at: Parameters<typeof bind>[2] = {}): Promise<EchoServer> {
  const authorities: string[] = [];
  const peers: string[] = [];
  const open: EchoServer['open'] = new Set();
  const say: Unary = (call, answer) => {
    authorities.push(call.getHost());
    peers.push(call.getPeer());
    answer(null, Buffer.from(reply));
  };
  const listen: Streaming = (call) => {
    open.add(call);
    call.on('cancelled', () => open.delete(call));
    call.write(Buffer.from(reply));
  };
  const bound = await bind(
    { Say: method(SAY, false), Listen: method(LISTEN, true) },
    { Say: say as never, Listen: listen as never },
    at,
  );
  return { ...bound, authorities, peers, open };
}

/** One call; its answer as text. */
export const say = (client: Client, deadlineMs = 5_000): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + deadlineMs };
    client.makeUnaryRequest(SAY, same, same, Buffer.alloc(0), new Metadata(), options, (error, answer) =>
      error === null ? resolve(String(answer)) : reject(error),
    );
  });

/** A stream that has begun. */
export async function listenTo(client: Client) {
  const stream = client.makeServerStreamRequest(LISTEN, same, same, Buffer.alloc(0), new Metadata());
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.once('error', (error) => resolve(error as ServiceError)).once('end', () => resolve(undefined));
  });
  const first = await new Promise<string>((resolve, reject) => {
    stream.once('data', (data) => resolve(String(data))).once('error', reject);
  });
  return { stream, first, ended };
}
