import { data, importAgent } from '../support/app.ts';
import type { AgentProcess } from './agent-process.ts';

/** The agents of a run, as the server knows them. */
export interface Agents {
  /** The paced agent, by each of its interfaces. */
  readonly paced: readonly string[];
  /** The paced agent behind a sign-in; [not retrySafe, retrySafe]. */
  readonly guarded: readonly [string, string];
  /** The silent agent; [not retrySafe, retrySafe]. */
  readonly silent: readonly [string, string];
}

/** Registers them. */
export async function register(url: string, paced: AgentProcess, silent: AgentProcess): Promise<Agents> {
  const registerAgent = async (input: object): Promise<string> =>
    (
      await data(url, 'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }', {
        input: { executionType: 'A2A', streaming: true, ...input },
      })
    )['registerAgent'].id;
  const guarded = (retrySafe: boolean) =>
    registerAgent({
      name: `Guarded ${retrySafe}`,
      retrySafe,
      url: `${paced.url}rpc`,
      authentication: { type: 'OAUTH2', tokenUrl: `${silent.url}token`, clientId: 'c', clientSecret: 's' },
    });
  const still = (retrySafe: boolean) => registerAgent({ name: `Silent ${retrySafe}`, retrySafe, url: silent.url });
  return {
    paced: [
      await importAgent(url, `${paced.url}jsonrpc-1.0/`),
      await importAgent(url, `${paced.url}jsonrpc-0.3/`),
      await importAgent(url, `${paced.url}rest-1.0/`),
    ],
    guarded: [await guarded(false), await guarded(true)],
    silent: [await still(false), await still(true)],
  };
}
