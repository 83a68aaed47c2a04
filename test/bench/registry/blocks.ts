import type { Client } from 'pg';
import type { Principal } from '../../../src/auth/principal.ts';
import type { Query } from '../../../src/database/drivers.ts';
import { countAgents, facetsOf } from '../../../src/registry/lists/agent-counts.ts';
import { type AgentListRequest, type AgentOrderField, listAgents } from '../../../src/registry/lists/agent-list.ts';
import type { Case } from './cases.ts';
import { FACETS, TOTAL } from './cases.ts';

const FIELDS: Readonly<Record<string, AgentOrderField>> = {
  ID: 'id',
  NAME: 'name',
  UPDATED_AT: 'updatedAt',
  LAST_USED_AT: 'lastUsedAt',
};

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

/**
 * How many blocks of 8 kB the statement of a case touches, from memory or disk. Unlike its time, that does not depend on
 * what else the machine does: it is the figure that shows how a list grows.
 */
export async function countBlocks(
  client: Client,
  principal: Principal,
  one: Case,
  after: string | null,
): Promise<number> {
  let blocks = 0;
  const query: Query = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
    const { rows } = await client.query(`explain (analyze, buffers, timing off, format json) ${text}`, [...values]);
    const { Plan: plan } = (rows[0] as { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0];
    blocks += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    return [{ n: 0 }] as Row[];
  };
  const status = one.filter?.['status'] as string[] | undefined;
  const request: AgentListRequest = {
    filter: { ...one.filter, ...(status === undefined ? {} : { status: status.map((s) => s.toLowerCase()) }) },
    search: one.search ?? null,
    orderBy:
      one.orderBy === undefined
        ? null
        : { field: FIELDS[one.orderBy.field]!, descending: one.orderBy.direction === 'DESC' },
    first: 20,
    after,
  };
  if (one.also === TOTAL) await countAgents(query, principal, request);
  else if (one.also === FACETS) await facetsOf(query, principal, request, ['tag', 'provider', 'status', 'capability']);
  // The row that the wrapper answers is no agent; what matters has been counted by then.
  else await listAgents(query, principal, request).catch(() => undefined);
  if (blocks === 0) throw new Error(`no statement ran for ${one.name}`);
  return blocks;
}
