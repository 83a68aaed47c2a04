import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { type CardServer, startCardServer } from '../support/card-server.ts';
import { LONG } from '../support/soon.ts';
import { tokenFor } from '../support/tokens.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';
import { A2A_STEPS } from './support/a2a-steps.ts';
import { GRAPH_STEPS } from './support/graph-steps.ts';
import { REGISTRY_STEPS } from './support/registry-steps.ts';
import { serveTalker } from './support/talker.ts';
import { TASK_STEPS } from './support/task-steps.ts';
import { type Ground, listen, makeAgent, newTenant, openGround, type Step, type Tenant } from './support/tenants.ts';
import { OWNER, WORLD_SETTINGS } from './support/world.ts';

let app: App;
let webhook: Webhook;
let cards: CardServer;
let ground: Ground;

beforeAll(async () => {
  [app, webhook, cards] = await Promise.all([
    startTestApp({ ...WORLD_SETTINGS, FLYTE_PRINCIPAL: randomUUID() }),
    startWebhook(),
    startCardServer(),
  ]);
  const { url, grpc } = app.addresses;
  const register = 'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }';
  const input = { name: 'Commons', executionType: 'ECHO', visibility: 'PUBLIC' };
  const owner = await tokenFor(OWNER);
  const { registerAgent } = await data(url, register, { input }, owner);
  const talks = serveTalker(cards, '/talker');
  const talker = { name: 'Talker', executionType: 'A2A', visibility: 'PUBLIC', url: `${cards.url}talker` };
  const { registerAgent: registered } = await data(url, register, { input: talker }, owner);
  ground = openGround({
    url,
    grpc,
    shared: registerAgent.id,
    talker: { agentId: registered.id, ...talks },
    cards,
    webhook: webhook.url,
  });
});
afterAll(async () => {
  ground?.a2aGrpc.close();
  await app?.close();
  await webhook?.close();
  await cards?.close();
});

/** A step as it is drawn: by the first or the second tenant, on their own or on the other's. */
interface Move {
  readonly step: Step;
  readonly actor: 0 | 1;
  readonly owner: 0 | 1;
}

const MOVES: readonly Move[] = [...GRAPH_STEPS, ...A2A_STEPS, ...REGISTRY_STEPS, ...TASK_STEPS].flatMap((step) =>
  ([0, 1] as const).flatMap((actor) => ([0, 1] as const).map((owner) => ({ step, actor, owner }))),
);

const tell = ({ step, actor, owner }: Move): string => `${'AB'[actor]}: ${step.name}, of ${'AB'[owner]}`;

/** What must not be in anything that the tenant gets: the other one's word, which stands in everything of theirs. */
const foreign = (tenants: readonly [Tenant, Tenant], tenant: Tenant): Tenant =>
  tenant === tenants[0] ? tenants[1] : tenants[0];

async function play(moves: readonly Move[]): Promise<void> {
  const tenants: [Tenant, Tenant] = [await newTenant(ground, 'A'), await newTenant(ground, 'B')];
  for (const tenant of tenants) listen(tenant, foreign(tenants, tenant));
  try {
    // Two at a time, so that what is shared between requests in flight is shared between tenants.
    for (let i = 0; i < moves.length; i += 2) {
      await Promise.all(
        moves.slice(i, i + 2).map(async (move) => {
          const actor = tenants[move.actor];
          const owner = tenants[move.owner];
          const { ok, raw } = await move.step.run(actor, owner);
          const what = `${tell(move)}: ${raw.slice(0, 600)}`;
          expect(raw, what).not.toContain(foreign(tenants, actor).word);
          // A refusal names the id that was asked for.
          if (ok) for (const id of foreign(tenants, actor).agents) expect(raw, what).not.toContain(id);
          if (move.step.shows) expect(raw, what).toContain(actor.word);
          expect(ok, what).toBe(actor === owner || move.step.lists === true);
        }),
      );
    }
    for (const tenant of tenants) {
      // A last change of each: what was to come before it has come.
      const last = await makeAgent(tenant);
      await expect.poll(() => tenant.heard.some((event) => event.includes(last))).toBe(true);
    }
    for (const tenant of tenants) {
      expect(tenant.faults).toEqual([]);
      const heard = tenant.heard.join('\n');
      expect(heard).toContain('tasksChanged');
      expect(heard).not.toContain(foreign(tenants, tenant).word);
      for (const id of foreign(tenants, tenant).tasks) expect(heard).not.toContain(id);
      for (const id of foreign(tenants, tenant).agents) expect(heard).not.toContain(id);
      const query = 'query($ids: [ID!]) { agents(first: 200, filter: { ids: $ids }) { nodes { id } } }';
      const { agents } = await data(ground.url, query, { ids: tenant.agents }, tenant.token);
      expect(agents.nodes.map(({ id }: { id: string }) => id).sort()).toEqual([...tenant.agents].sort());
    }
  } finally {
    for (const tenant of tenants) await tenant.stopListening();
  }
}

test('two tenants never see what is the other one’s, whatever they do, at any door, in any order', LONG, async () => {
  const order = fc.shuffledSubarray([...MOVES.keys()], { minLength: MOVES.length, maxLength: MOVES.length });
  // Every order has every move in it: a failure is told with the move, which shrinking would only say again.
  await fc.assert(
    fc.asyncProperty(order, (places) => play(places.map((place) => MOVES[place]!))),
    { numRuns: 2, endOnFailure: true },
  );
});
