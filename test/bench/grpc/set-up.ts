import { Client, credentials } from '@grpc/grpc-js';
import { mutate } from '../graphql.ts';
import { type ServerProcess, startRollcall, startServer } from '../processes.ts';
import { CATEGORY } from './wire.ts';

export interface FlyteServer {
  readonly rollcall: ServerProcess;
  /** The Flyte port. */
  readonly address: string;
  /** For what is asked once. */
  readonly client: Client;
  /** The deployment that owns the one category that has one. */
  readonly deployment: ServerProcess;
  stop(): Promise<void>;
}

/** Rollcall, and an agent with one deployment, registered by GraphQL. */
export async function startFlyte(env: Record<string, string>): Promise<FlyteServer> {
  const deployment = await startServer('grpc/servers/deployment.ts');
  const rollcall = await startRollcall({ ...env, AUTH_MODE: 'none' });
  const address = /Flyte\s+(?:\w+:\/\/)?(\S+)\s+\(gRPC\)/.exec(rollcall.printed)?.[1];
  if (address === undefined) throw new Error(`Rollcall named no Flyte port: ${rollcall.printed}`);
  const agent = { name: 'Routed', executionType: 'FLYTE', flyteName: 'Routed', taskCategories: [CATEGORY] };
  const { id } = await mutate<{ id: string }>(rollcall.url, 'registerAgent', agent);
  await mutate(rollcall.url, 'registerDeployment', { agentId: id, endpoint: deployment.url, tls: false });
  const client = new Client(address, credentials.createInsecure());
  return {
    rollcall,
    address,
    client,
    deployment,
    async stop() {
      client.close();
      await rollcall.stop();
      await deployment.stop();
    },
  };
}
