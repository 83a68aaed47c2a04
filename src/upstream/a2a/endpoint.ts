import { RollcallError } from '../../errors.ts';
import type { UpstreamAgent, UpstreamInterface } from '../executor.ts';
import { BINDINGS, type Binding } from './bindings.ts';

/** Where and how an agent is spoken to. */
export interface Endpoint {
  readonly url: URL;
  readonly binding: Binding;
  /** Goes back in every request, as the interface declares it. */
  readonly tenant: string | undefined;
  /** The origin that the stored credentials belong to. */
  readonly credentialsOrigin: string;
}

const bindingOf = (it: UpstreamInterface): Binding | undefined => BINDINGS[`${it.binding.toUpperCase()} ${it.dialect}`];

/**
 * The interface to use: the first declared one that we speak, as the agent's order is its preference (specification 1.0
 * §4.4.6). An agent that declares none is taken to speak JSON-RPC 1.0 at its url.
 *
 * @throws RollcallError AGENT_NOT_REACHABLE naming what the agent offers.
 */
export function chooseEndpoint(agent: UpstreamAgent): Endpoint {
  const declared = agent.interfaces.find((it) => bindingOf(it) !== undefined && URL.canParse(it.url));
  const url = declared?.url ?? (agent.interfaces.length === 0 ? agent.url : null);
  const binding = declared === undefined ? BINDINGS['JSONRPC 1.0'] : bindingOf(declared);
  if (url === null || binding === undefined || !URL.canParse(url)) {
    const offers = agent.interfaces.map((it) => `${it.binding} of ${it.protocolVersion}`).join(', ');
    throw new RollcallError(
      'AGENT_NOT_REACHABLE',
      `Agent ${agent.handle} offers ${offers || 'no interface'}; Rollcall speaks ${Object.keys(BINDINGS).join(', ')}. Declare one of these.`,
    );
  }
  return { url: new URL(url), binding, tenant: declared?.tenant, credentialsOrigin: new URL(agent.url ?? url).origin };
}
