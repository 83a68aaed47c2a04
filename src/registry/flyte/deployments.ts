import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { FlyteDeploymentEntity } from '../../database/entities/index.ts';
import { newId } from '../../database/ids.ts';
import { invalid, RollcallError } from '../../errors.ts';
import { sameJson } from '../../protocol/a2a/card/same-json.ts';
import { changeAgent } from '../agents/change.ts';
import { conflictsAs } from '../agents/conflicts.ts';
import type { RegistryContext } from '../context.ts';
import { check } from '../input/check.ts';
import { LIMITS } from '../input/limits.ts';
import type { Deployment, FieldChange } from '../model.ts';
import { requireScope } from '../visibility.ts';
import {
  type CheckedDeployment,
  type DeploymentInput,
  type DeploymentPatch,
  deploymentPatchSchema,
  deploymentSchema,
} from './deployment-input.ts';
import { deploymentById } from './read-deployments.ts';

const FIELDS = ['endpoint', 'tls', 'generation', 'weight', 'draining', 'timeouts'] as const;

const notFound = (id: string): RollcallError =>
  new RollcallError('NOT_FOUND', `There is no deployment ${JSON.stringify(id)} that you may see.`);

/** What an agent's history shows of a deployment: whoever sees the agent reads it, so internal addresses are not in it. */
export const shownDeployment = ({ endpoint: _hidden, ...shown }: CheckedDeployment): object => shown;

/** Asks egress now, so that a refusal comes at registration and not with the first task. */
const checkAddress = (context: RegistryContext, endpoint: string): Promise<void> =>
  context.egress.checkGrpc(endpoint, 'input.endpoint');

async function rowIn(tx: Transaction, agentId: string, id: string) {
  const row = await tx.em.findOne(FlyteDeploymentEntity, { id, agent: agentId } as never);
  if (row === null) throw notFound(id);
  return row;
}

/** The deployment before a change. Its agent decides who may make one. */
async function present(context: RegistryContext, principal: Principal, id: string): Promise<Deployment> {
  requireScope(principal, 'registry:write');
  const found = await deploymentById(context.database.query, principal, id);
  if (found === undefined) throw notFound(id);
  return found;
}

/** Makes the rows of deployments. */
export function createDeployments(
  tx: Transaction,
  agentId: string,
  deployments: readonly (CheckedDeployment & { readonly id: string; readonly createdAt?: Date | undefined })[],
): void {
  const now = new Date();
  for (const deployment of deployments) {
    const createdAt = deployment.createdAt ?? now;
    tx.em.create(FlyteDeploymentEntity, { ...deployment, agent: agentId, createdAt, updatedAt: createdAt } as never);
  }
}

/**
 * Adds a Flyte deployment to an agent.
 *
 * @returns the new deployment's id.
 * @throws RollcallError INVALID_INPUT, EGRESS_DENIED, ALREADY_EXISTS for an endpoint that the agent has in this
 *   generation, UPSTREAM_UNREACHABLE and UPSTREAM_TIMEOUT for a name that cannot be resolved, and what changing an agent throws.
 */
export async function registerDeployment(
  context: RegistryContext,
  principal: Principal,
  agentId: string,
  input: DeploymentInput,
  revision?: number,
): Promise<string> {
  requireScope(principal, 'registry:write');
  const deployment = check(deploymentSchema, input);
  await checkAddress(context, deployment.endpoint);
  const id = newId();
  await conflictsAs(deployment, () =>
    changeAgent(context, principal, { agentId, revision, action: 'deploymentRegistered' }, async (agent, tx) => {
      const [count] = await tx.query<{ n: number }>(
        'select count(*)::int as n from flyte_deployment where agent = $1',
        [agentId],
      );
      if (count!.n >= LIMITS.deployments)
        throw invalid(
          'input',
          `the agent ${agent.handle} has ${LIMITS.deployments} deployments, the most there may be`,
        );
      createDeployments(tx, agentId, [{ ...deployment, id }]);
      await tx.em.flush();
      return [{ field: `deployments.${id}`, before: null, after: shownDeployment(deployment) }];
    }),
  );
  return id;
}

/**
 * Changes a deployment: what the patch leaves out stays. Its jobs are then looked for at a changed endpoint: a deployment
 * that knows nothing of them is a new one.
 *
 * @throws as {@link registerDeployment}.
 */
export async function updateDeployment(
  context: RegistryContext,
  principal: Principal,
  id: string,
  patch: DeploymentPatch,
  revision?: number,
): Promise<void> {
  const fields = check(deploymentPatchSchema, patch);
  const { agentId } = await present(context, principal, id);
  if (fields.endpoint !== undefined) await checkAddress(context, fields.endpoint);
  await conflictsAs(fields, () =>
    changeAgent(context, principal, { agentId, revision, action: 'deploymentUpdated' }, async (_agent, tx) =>
      changeRow(await rowIn(tx, agentId, id), fields),
    ),
  );
}

/** Makes a deployment's row be as these fields say. */
export function changeRow(
  row: InstanceType<typeof FlyteDeploymentEntity.class>,
  fields: Partial<Record<(typeof FIELDS)[number], unknown>>,
): FieldChange[] {
  const values = row as unknown as Record<string, unknown>;
  const changes: FieldChange[] = [];
  for (const field of FIELDS) {
    const [before, after] = [values[field], fields[field]];
    if (after === undefined || sameJson(before, after)) continue;
    values[field] = after;
    const shown = field === 'endpoint' ? { before: '(set)', after: '(changed)' } : { before, after };
    changes.push({ field: `deployments.${row.id}.${field}`, ...shown });
  }
  if (changes.length > 0) row.updatedAt = new Date();
  return changes;
}

/**
 * Removes a deployment; answers it as it was. What still runs there is asked for nowhere else: no other deployment knows of it.
 *
 * @throws RollcallError NOT_FOUND and what changing an agent throws.
 */
export async function removeDeployment(
  context: RegistryContext,
  principal: Principal,
  id: string,
  revision?: number,
): Promise<Deployment> {
  const deployment = await present(context, principal, id);
  const { agentId, generation, tls, weight, draining, timeouts } = deployment;
  await changeAgent(context, principal, { agentId, revision, action: 'deploymentRemoved' }, async (_agent, tx) => {
    tx.em.remove(await rowIn(tx, agentId, id));
    const before = { generation, tls, weight, draining, timeouts };
    return [{ field: `deployments.${deployment.id}`, before, after: null }];
  });
  return deployment;
}
