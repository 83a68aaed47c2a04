import type { Transaction } from '../../database/database.ts';
import { FlyteDeploymentEntity } from '../../database/entities/index.ts';
import { newId } from '../../database/ids.ts';
import type { FieldChange } from '../model.ts';
import type { CheckedDeployment } from './deployment-input.ts';
import { changeRow, createDeployments, shownDeployment } from './deployments.ts';

/** A deployment as a record has it. */
export type LoadedDeployment = CheckedDeployment & {
  readonly id?: string | undefined;
  readonly createdAt?: Date | undefined;
};

const placeOf = ({ endpoint, generation }: { readonly endpoint: string; readonly generation: number }): string =>
  `${generation} ${endpoint}`;

/**
 * Makes an agent's deployments be exactly these, matched by endpoint and generation, else by id. Those that are there
 * keep their ids, by which their jobs are found.
 */
export async function replaceDeployments(
  tx: Transaction,
  agentId: string,
  wanted: readonly LoadedDeployment[],
): Promise<FieldChange[]> {
  const rows = await tx.em.find(FlyteDeploymentEntity, { agent: agentId } as never);
  const left = new Set(rows);
  const byPlace = new Map(rows.map((row) => [placeOf(row), row]));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const changes: FieldChange[] = [];
  const fresh: LoadedDeployment[] = [];
  for (const deployment of wanted) {
    const sameId = deployment.id === undefined ? undefined : byId.get(deployment.id);
    const row = byPlace.get(placeOf(deployment)) ?? sameId;
    if (row === undefined || !left.delete(row)) fresh.push(deployment);
    else changes.push(...changeRow(row, { ...deployment }));
  }
  for (const row of left) {
    tx.em.remove(row);
    changes.push({ field: `deployments.${row.id}`, before: { generation: row.generation }, after: null });
  }
  // What leaves makes room first: the unit of work would insert before it deletes.
  await tx.em.flush();
  const made = fresh.map((deployment) => ({
    ...deployment,
    id: deployment.id === undefined || byId.has(deployment.id) ? newId() : deployment.id,
  }));
  createDeployments(tx, agentId, made);
  for (const { id, createdAt: _, ...deployment } of made)
    changes.push({ field: `deployments.${id}`, before: null, after: shownDeployment(deployment) });
  return changes;
}
