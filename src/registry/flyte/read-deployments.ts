import type { Principal } from '../../auth/principal.ts';
import type { Query } from '../../database/drivers.ts';
import { isUuid } from '../../database/ids.ts';
import { nameOf } from '../../database/statement-names.ts';
import { toDate, Values } from '../../database/values.ts';
import type { Deployment } from '../model.ts';
import { visibleSql } from '../visibility.ts';

type Row = Record<string, unknown>;

const COLUMNS = `d.id, d.agent as "agentId", d.endpoint, d.tls, d.generation, d.weight, d.draining, d.timeouts,
  d.created_at as "createdAt", d.updated_at as "updatedAt"`;

const toDeployment = (row: Row): Deployment =>
  ({
    ...row,
    createdAt: toDate(row['createdAt'] as string),
    updatedAt: toDate(row['updatedAt'] as string),
  }) as unknown as Deployment;

/** The deployments of each of these agents, oldest first. The caller decides who may see their endpoints. */
export async function deploymentsOfAgents(query: Query, agentIds: readonly string[]): Promise<Deployment[][]> {
  const text = `select ${COLUMNS} from flyte_deployment d where d.agent = any($1::uuid[]) order by d.agent, d.id`;
  const groups = new Map<string, Deployment[]>(agentIds.map((id) => [id, []]));
  for (const row of await query<Row>(text, [agentIds], nameOf(text)))
    groups.get(row['agentId'] as string)?.push(toDeployment(row));
  return agentIds.map((id) => groups.get(id) ?? []);
}

/** A deployment of a live agent that the caller may see. */
export async function deploymentById(query: Query, principal: Principal, id: string): Promise<Deployment | undefined> {
  if (!isUuid(id)) return undefined;
  const values = new Values();
  const [row] = await query<Row>(
    `select ${COLUMNS} from flyte_deployment d join agent a on a.id = d.agent
     where d.id = ${values.add(id)}::uuid and a.deleted_at is null and ${visibleSql(principal, 'a', values)}`,
    values.list,
  );
  return row === undefined ? undefined : toDeployment(row);
}
