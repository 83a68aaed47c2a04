import idl from '@flyteorg/flyteidl/gen/pb-js/flyteidl.js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

/** Flyte's own published classes: the independent other side of these tests. */
export const { admin, core, service } = idl.flyteidl;

const identity = (bytes: Buffer): Buffer => bytes;

/** A channel, and Flyte's published service classes on it. */
export function connectPublished(port: number, metadata: Metadata = new Metadata()) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const over =
    (name: string) =>
    (method: { readonly name: string }, request: Uint8Array, callback: (e: Error | null, b?: Uint8Array) => void) => {
      const path = `/flyteidl.service.${name}/${method.name}`;
      const options = { deadline: Date.now() + 5_000 };
      client.makeUnaryRequest(path, identity, identity, Buffer.from(request), metadata, options, (error, bytes) =>
        callback(error, bytes),
      );
    };
  return {
    client,
    metadataService: service.AgentMetadataService.create(over('AgentMetadataService')),
    asyncService: service.AsyncAgentService.create(over('AsyncAgentService')),
    close: () => client.close(),
  };
}
