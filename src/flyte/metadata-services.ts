import type { handleUnaryCall, Server } from '@grpc/grpc-js';
import { RollcallError } from '../errors.ts';
import { decoded } from '../protocol/flyte/decode.ts';
import { GetAgentRequest } from '../protocol/flyte/generated/flyteidl/admin/agent.ts';
import { AgentMetadataServiceService } from '../protocol/flyte/generated/flyteidl/service/agent.ts';
import { GetConnectorRequest } from '../protocol/flyte/generated/flyteidl2/connector/connector.ts';
import { ConnectorMetadataServiceService } from '../protocol/flyte/generated/flyteidl2/connector/service.ts';
import { rawService, serviceNameOf } from '../protocol/flyte/raw-service.ts';
import type { FlyteListing } from './listing.ts';
import type { Snapshot } from './snapshot.ts';
import type { FlyteLog } from './source.ts';
import { toStatus } from './status.ts';

/** The names under which the metadata services are listed, described and checked for health. */
export const METADATA_SERVICES: readonly string[] = [
  serviceNameOf(AgentMetadataServiceService),
  serviceNameOf(ConnectorMetadataServiceService),
];

const named = (answers: ReadonlyMap<string, Buffer>, kind: 'agent' | 'connector', name: string): Buffer => {
  const answer = answers.get(name);
  if (answer !== undefined) return answer;
  const list = kind === 'agent' ? 'ListAgents' : 'ListConnectors';
  throw new RollcallError('NOT_FOUND', `Cannot find ${kind} for name: ${name}. ${list} names those there are.`);
};

/** Adds AgentMetadataService (Flyte 1) and ConnectorMetadataService (Flyte 2) to the server; both answer from memory. */
export function addMetadataServices(server: Server, catalog: Snapshot<FlyteListing>, log: FlyteLog): void {
  const answer =
    (from: (listing: FlyteListing, request: Buffer) => Buffer): handleUnaryCall<Buffer, Buffer> =>
    (call, callback) => {
      try {
        const listing = catalog.value;
        if (listing === undefined) {
          throw new RollcallError('DATABASE_UNAVAILABLE', 'The registry has not been read yet; try again shortly.');
        }
        callback(null, from(listing, call.request));
      } catch (error) {
        callback(toStatus(error, log));
      }
    };
  server.addService(rawService(AgentMetadataServiceService), {
    getAgent: answer((listing, request) => named(listing.agent, 'agent', decoded(GetAgentRequest, request).name)),
    listAgents: answer((listing) => listing.agents),
  });
  server.addService(rawService(ConnectorMetadataServiceService), {
    getConnector: answer((listing, request) =>
      named(listing.connector, 'connector', decoded(GetConnectorRequest, request).name),
    ),
    listConnectors: answer((listing) => listing.connectors),
  });
}
