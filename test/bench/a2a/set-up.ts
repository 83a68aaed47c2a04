import { mutate } from '../graphql.ts';
import { type ServerProcess, startRollcall, startServer } from '../processes.ts';

/** The servers of a run, each a process: Rollcall and the pass-through stand before the same agent. */
export interface Servers {
  readonly agent: ServerProcess;
  readonly pass: ServerProcess;
  readonly rollcall: ServerProcess;
  /** The agent in Rollcall, said to stream. */
  readonly streamingUrl: string;
  /** The same agent once more, said not to stream: Rollcall then sends it SendMessage, as the pass-through does. */
  readonly plainUrl: string;
  stop(): Promise<void>;
}

export async function startServers(env: Record<string, string>): Promise<Servers> {
  const agent = await startServer('a2a/servers/agent.ts');
  const pass = await startServer('a2a/servers/pass-through.ts', { AGENT_URL: agent.url });
  const rollcall = await startRollcall({ ...env, AUTH_MODE: 'none' });
  const register = async (name: string, streaming: boolean): Promise<string> => {
    const input = { name, executionType: 'A2A', url: agent.url, streaming };
    const { id } = await mutate<{ id: string }>(rollcall.url, 'registerAgent', input);
    return new URL(`a2a/${id}`, rollcall.url).href;
  };
  return {
    agent,
    pass,
    rollcall,
    streamingUrl: await register(`Streaming ${Date.now()}`, true),
    plainUrl: await register(`Plain ${Date.now()}`, false),
    async stop() {
      await rollcall.stop();
      await pass.stop();
      await agent.stop();
    },
  };
}

/** The servers, and the bare durable one before the same agent. */
export interface ComparedServers extends Servers {
  readonly durable: ServerProcess;
}

/** @param databaseUrl an empty database */
export async function withDurable(servers: Servers, databaseUrl: string): Promise<ComparedServers> {
  const env = { AGENT_URL: servers.agent.url, DATABASE_URL: databaseUrl };
  const durable = await startServer('a2a/servers/durable.ts', env);
  return {
    ...servers,
    durable,
    async stop() {
      await durable.stop();
      await servers.stop();
    },
  };
}
