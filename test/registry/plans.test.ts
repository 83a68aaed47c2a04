import { expect, test } from 'vitest';
import type { Query } from '../../src/database/drivers.ts';
import { newId } from '../../src/database/ids.ts';
import { type AgentListRequest, listAgents } from '../../src/registry/lists/agent-list.ts';
import { describeOnDrivers } from '../support/database.ts';
import { someone } from '../support/registry.ts';
import { seedAgents } from '../support/seed-agents.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

describeOnDrivers(
  'the plans of lists among 20,000 agents',
  (open) => {
    test('read an index of the order or the filter, and never all agents', async () => {
      const database = await open();
      await seedAgents(database, newId(), 20_000);
      for (const table of ['agent', 'agent_usage', 'skill']) await database.query(`vacuum analyze ${table}`);
      const caller = someone();

      /** The plan of the first or second page. */
      async function planOf(request: AgentListRequest): Promise<Plan[]> {
        const { items } = await listAgents(database.query, caller, { ...request, first: 20 });
        const explain: Query = async <Row>(text: string, values?: readonly unknown[]) => {
          const [row] = await database.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
            `explain (format json) ${text}`,
            values,
          );
          plans.push(...nodes(row!['QUERY PLAN'][0].Plan));
          return [] as Row[];
        };
        const plans: Plan[] = [];
        await listAgents(explain, caller, { ...request, first: 20 });
        await listAgents(explain, caller, { ...request, first: 20, after: items.at(-1)!.cursor });
        return plans;
      }

      const cases: [AgentListRequest, RegExp][] = [
        ...[false, true].flatMap((descending): [AgentListRequest, RegExp][] => [
          [{ orderBy: { field: 'id', descending } }, /^agent_(live_id_idx|pkey)$/],
          [{ orderBy: { field: 'name', descending } }, /^agent_name_idx$/],
          [{ orderBy: { field: 'updatedAt', descending } }, /^agent_updated_at_idx$/],
          [{ orderBy: { field: 'lastUsedAt', descending } }, /^agent_usage_last_used_at_idx$/],
        ]),
        [{ filter: { tag: 'rare' } }, /^agent_skill_tags_idx$/],
        [{ filter: { capability: 'c7' } }, /^agent_capabilities_idx$/],
        [{ filter: { mode: 'm/7' } }, /^agent_modes_idx$/],
        [{ filter: { inputMode: 'm/7' } }, /^agent_modes_idx$/],
        [{ search: 'seeded words 77' }, /^agent_search_idx$/],
      ];
      for (const [request, index] of cases) {
        const plan = await planOf(request);
        const scanned = plan.filter((n) => n['Node Type'] === 'Seq Scan').map((n) => n['Relation Name']);
        expect([request, scanned.filter((name) => name === 'agent')]).toEqual([request, []]);
        expect([request, plan.map((n) => n['Index Name']).filter((name) => index.test(name ?? ''))]).not.toEqual([
          request,
          [],
        ]);
      }
    });
  },
  ['postgres'],
);
