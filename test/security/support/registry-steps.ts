import { randomUUID } from 'node:crypto';
import { data } from '../../support/app.ts';
import { cardV1 } from '../../support/card-server.ts';
import { graph, graphStep, makeAgent, mutation, type Step, type Tenant } from './tenants.ts';

/**
 * Steps about what is in the registry besides agents themselves. Where the answer says whether a predicate held, `ok`
 * is that it gave something of the owner's away, or did something to it.
 */

const change = async (tenant: Tenant, field: string, type: string, input: object, shown = 'id'): Promise<any> =>
  (await data(tenant.ground.url, mutation(field, type, shown), { input }, tenant.token))[field];

/** An agent that everyone sees and its owner alone may change: nothing of it bears the owner's word. */
const makeOpenAgent = async (owner: Tenant, more: object = {}): Promise<string> => {
  const input = { name: 'open', executionType: 'ECHO', visibility: 'INTERNAL', ...more };
  return (await change(owner, 'registerAgent', 'RegisterAgentInput', input)).id;
};

/** One where Flyte would find something of the owner's. */
const makeFlyteAgent = async (owner: Tenant): Promise<{ id: string; category: string }> => {
  const category = `${owner.word}_${randomUUID().slice(0, 8)}`;
  const input = {
    name: category,
    executionType: 'FLYTE',
    visibility: 'PRIVATE',
    flyteName: category,
    taskCategories: [{ name: category }],
  };
  const { id } = await change(owner, 'registerAgent', 'RegisterAgentInput', input);
  owner.agents.push(id);
  return { id, category };
};

let port = 1_024;
const deploy = async (owner: Tenant, agentId: string): Promise<{ id: string; endpoint: string }> => {
  const endpoint = `127.0.0.1:${++port}`;
  const input = { agentId, endpoint, tls: false };
  return { id: (await change(owner, 'registerDeployment', 'RegisterDeploymentInput', input)).id, endpoint };
};

const cardUrl = ({ ground }: Tenant, version = '1'): { url: string; serve: (version: string) => void } => {
  const path = `/${randomUUID()}`;
  const serve = (said: string) =>
    ground.cards.on(`${path}/.well-known/agent-card.json`, cardV1({ name: 'open', version: said }));
  serve(version);
  return { url: `${ground.cards.url}${path.slice(1)}/`, serve };
};

/** Every page of an export. */
async function exported(tenant: Tenant): Promise<string> {
  const query = 'query($after: String) { exportRecords(first: 200, after: $after) { records next } }';
  let raw = '';
  for (let after: string | null | undefined; after !== null; ) {
    const seen = await graph(tenant, query, { after });
    raw += seen.raw;
    after = seen.data['exportRecords'].next;
  }
  return raw;
}

const ofProvider = (field: string, type: string, more: object): Step =>
  graphStep(field, async (actor, owner) => {
    const { id } = await change(owner, 'registerProvider', 'ProviderInput', { name: `open ${randomUUID()}` });
    return graph(actor, mutation(field, type, 'id'), { input: { id, ...more } });
  });

export const REGISTRY_STEPS: readonly Step[] = [
  graphStep('agent by handle', async (actor, owner) => {
    const { agent } = (await graph(owner, `{ agent(id: "${owner.agents[0]}") { handle } }`)).data;
    const seen = await graph(actor, 'query($h: String!) { agent(handle: $h) { id name } }', { h: agent.handle });
    return { ...seen, ok: seen.data?.['agent'] !== null };
  }),
  graphStep('agent, while its owner reads it', async (actor, owner) => {
    const query = `{ agent(id: "${owner.agents[0]}") { id name } }`;
    const both = Array.from({ length: 6 }, () => [graph(owner, query), graph(actor, query)] as const);
    const seen = await Promise.all(both.map(([, theirs]) => theirs));
    await Promise.all(both.map(([own]) => own));
    return { ok: seen.some(({ data }) => data['agent'] !== null), raw: seen.map(({ raw }) => raw).join() };
  }),
  graphStep('skill', async (actor, owner) => {
    const { agent } = (await graph(owner, `{ agent(id: "${owner.agents[0]}") { skills { id } } }`)).data;
    const seen = await graph(actor, `{ skill(id: "${agent.skills[0].id}") { id key } }`);
    return { ...seen, ok: seen.data?.['skill'] !== null };
  }),
  graphStep('updateAgent of one that everyone sees', async (actor, owner) => {
    const input = { id: await makeOpenAgent(owner), version: randomUUID() };
    return graph(actor, mutation('updateAgent', 'UpdateAgentInput', 'id'), { input });
  }),
  graphStep('Agent.access', async (actor, owner) => {
    const seen = await graph(
      actor,
      `{ agent(id: "${await makeOpenAgent(owner)}") { access(operation: UPDATE) { allowed } } }`,
    );
    return { ...seen, ok: seen.data['agent'].access.allowed };
  }),
  graphStep('updateDeployment', async (actor, owner) => {
    const agentId = await makeAgent(owner);
    const { id } = await deploy(owner, agentId);
    const seen = await graph(actor, mutation('updateDeployment', 'UpdateDeploymentInput', 'id agent { id }'), {
      input: { id, weight: 2 },
    });
    return { raw: seen.raw, ok: seen.raw.includes(agentId) };
  }),
  graphStep('endpoint of a deployment', async (actor, owner) => {
    const agentId = await makeOpenAgent(owner);
    const { endpoint } = await deploy(owner, agentId);
    const seen = await graph(actor, `{ agent(id: "${agentId}") { deployments { endpoint } } }`);
    return { raw: seen.raw, ok: seen.raw.includes(endpoint) };
  }),
  graphStep('export of a deployment', async (actor, owner) => {
    const { endpoint } = await deploy(owner, await makeOpenAgent(owner));
    const raw = await exported(actor);
    return { raw, ok: raw.includes(`"${endpoint}"`) };
  }),
  graphStep('setTaskCategories to a taken one', async (actor, owner) => {
    const { id, category } = await makeFlyteAgent(owner);
    const own = await makeOpenAgent(actor, { flyteName: `open-${randomUUID()}` });
    const input = { agentId: own, taskCategories: [{ name: category }] };
    const seen = await graph(actor, mutation('setTaskCategories', 'SetTaskCategoriesInput', 'id'), { input });
    // The name is the actor's own words.
    return { raw: seen.raw.replaceAll(category, ''), ok: seen.raw.includes(id) };
  }),
  graphStep(
    'flytePreview',
    async (actor, owner) => {
      await makeFlyteAgent(owner);
      return graph(actor, '{ flytePreview { agents { agentId name } warnings { agentId message } } }');
    },
    true,
  ),
  graphStep('importAgent of a card that is imported', async (actor, owner) => {
    const { url } = cardUrl(owner);
    const { id } = await change(owner, 'importAgent', 'ImportAgentInput', { url, visibility: 'PRIVATE' });
    owner.agents.push(id);
    const preview = await graph(actor, 'mutation($url: String!) { previewCard(url: $url) { registered { id } } }', {
      url,
    });
    const input = { url, visibility: 'PRIVATE' };
    const seen = await graph(actor, mutation('importAgent', 'ImportAgentInput', 'id'), { input });
    const own = seen.data?.['importAgent']?.id;
    if (own !== undefined) actor.agents.push(own);
    const raw = preview.raw + seen.raw;
    return { raw, ok: raw.includes(id) };
  }),
  graphStep('refreshAgent of one that everyone sees', async (actor, owner) => {
    const { url, serve } = cardUrl(owner);
    const { id } = await change(owner, 'importAgent', 'ImportAgentInput', { url, visibility: 'INTERNAL' });
    serve('2');
    return graph(actor, mutation('refreshAgent', 'RefreshAgentInput', 'changes { path }'), { input: { id } });
  }),
  ofProvider('updateProvider', 'UpdateProviderInput', { url: 'https://open.example/' }),
  ofProvider('deleteProvider', 'DeleteProviderInput', {}),
  ofProvider('setProviderCardKeys', 'SetProviderCardKeysInput', { keys: [] }),
  {
    name: 'extended card of an agent that everyone sees',
    async run(actor, owner) {
      const id = await makeOpenAgent(owner);
      const response = await fetch(`${actor.ground.url}a2a/${id}/agent/authenticatedExtendedCard`, {
        headers: { authorization: `Bearer ${actor.token}` },
      });
      const raw = await response.text();
      return { raw, ok: raw.includes('"management"') };
    },
  },
];
