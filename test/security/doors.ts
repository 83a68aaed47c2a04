import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { App } from '../../src/app.ts';
import { GRPC_METHODS, readStatus } from '../../src/protocol/a2a/protobuf.ts';
import { data } from '../support/app.ts';

const same = (value: Buffer): Buffer => value;

/** Calls A2A's gRPC binding as a client does. */
export function grpcClient(app: App) {
  const client = new Client(app.addresses.grpc, credentials.createInsecure());
  const metadataOf = (token: string): Metadata => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    metadata.set('x-request-id', 'from-grpc');
    return metadata;
  };
  const requestOf = (method: string, params: object): Buffer =>
    Buffer.from(GRPC_METHODS.get(method)!.writeRequest(params));
  return {
    call: (method: string, params: object, token: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const { path, readAnswer } = GRPC_METHODS.get(method)!;
        client.makeUnaryRequest(path, same, same, requestOf(method, params), metadataOf(token), (error, answer) => {
          if (error === null) resolve(readAnswer(answer!));
          else reject(error);
        });
      }),
    stream: (method: string, params: object, token: string) =>
      client.makeServerStreamRequest(
        GRPC_METHODS.get(method)!.path,
        same,
        same,
        requestOf(method, params),
        metadataOf(token),
      ),
    close: () => client.close(),
  };
}

/** The typed details of a gRPC error. */
export const detailsOf = (error: ServiceError): readonly Record<string, unknown>[] =>
  readStatus(error.metadata.get('grpc-status-details-bin')[0] as Buffer).details as never;

/** A GraphQL socket, and how it was closed. */
export function socketClient(app: App, token?: string) {
  let closed: (event: { code: number; reason: string }) => void;
  const ended = new Promise<{ code: number; reason: string }>((resolve) => {
    closed = resolve;
  });
  const client = createClient({
    url: `${app.addresses.url.replace('http', 'ws')}graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
    ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    on: { closed: (event) => closed(event as never) },
  });
  return { client, ended };
}

/** An agent that answers what it is sent; it waits with "slow: seconds text", and asks back with "ask: text". */
export const echoOf = async (app: App, token?: string): Promise<string> =>
  (
    await data(
      app.addresses.url,
      'mutation { registerAgent(input: { name: "Echo of tests", executionType: ECHO, streaming: true }) { id } }',
      {},
      token,
    )
  )['registerAgent'].id;
