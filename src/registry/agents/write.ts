import type { Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import { AgentEntity, SkillEntity } from '../../database/entities/index.ts';
import { newId } from '../../database/ids.ts';
import { invalid } from '../../errors.ts';
import { sameJson } from '../../protocol/a2a/card/same-json.ts';
import type { RegistryContext } from '../context.ts';
import { storedType } from '../display-type.ts';
import { check } from '../input/check.ts';
import {
  type AgentInput,
  type AgentPatch,
  agentPatchSchema,
  agentSchema,
  type CheckedAgent,
  type CheckedSkill,
} from '../input/schemas.ts';
import type { AgentAction, FieldChange } from '../model.ts';
import { refreshSearch } from '../search-index.ts';
import { requireScope } from '../visibility.ts';
import type { AgentStatus } from '../words.ts';
import { type AgentRow, changeAgent, publishAgent, recordChange } from './change.ts';
import { conflictsAs } from './conflicts.ts';
import { openAuthentication, originChanged, type Reached, reached, sealAuthentication } from './credentials.ts';
import { fieldChanges, snapshot } from './field-changes.ts';
import { freeHandle, handleFromName } from './handles.ts';
import { providerOf } from './provider-of.ts';
import { replaceTaskCategories } from './task-categories.ts';

/** What else may be written in the transaction that makes an agent, for instance its source card. */
export type AlsoWrite = (tx: Transaction, agentId: string) => Promise<void>;

/** Checks the addresses of an agent against the rules for outbound connections, so that a refusal comes now and not at the first call. */
async function checkAddresses(
  context: RegistryContext,
  input: {
    url?: string | null | undefined;
    interfaces?: CheckedAgent['interfaces'] | undefined;
    authentication?: CheckedAgent['authentication'] | undefined;
  },
): Promise<void> {
  if (input.url != null) await context.egress.check(input.url);
  // Without a url an agent is called at its interfaces, and those of gRPC are addresses of another form.
  else
    for (const [i, { url, binding }] of (input.interfaces ?? []).entries())
      if (binding === 'GRPC') await context.egress.checkGrpc(url, `interfaces[${i}].url`);
  if (input.authentication?.type === 'oauth2' && input.authentication.tokenUrl !== undefined)
    await context.egress.check(input.authentication.tokenUrl);
}

/** Makes the rows of skills, in the order given. */
export function createSkills(
  tx: Transaction,
  agentId: string,
  skills: readonly CheckedSkill[],
  firstPosition = 0,
  ids: ReadonlyMap<string, string> = new Map(),
): void {
  const now = new Date();
  skills.forEach((skill, i) => {
    tx.em.create(SkillEntity, {
      id: ids.get(skill.key) ?? newId(),
      agent: agentId,
      position: firstPosition + i,
      ...skill,
      createdAt: now,
      updatedAt: now,
    });
  });
}

/**
 * Registers an agent with its skills, categories and provider.
 *
 * @returns the new agent's id.
 * @throws RollcallError INVALID_INPUT, ALREADY_EXISTS (handle, flyteName or task category taken), EGRESS_DENIED, UNAUTHENTICATED, FORBIDDEN.
 */
export async function registerAgent(
  context: RegistryContext,
  principal: Principal,
  input: AgentInput,
  options: { readonly action?: AgentAction; readonly alsoWrite?: AlsoWrite; readonly id?: string } = {},
): Promise<string> {
  requireScope(principal, 'registry:write');
  const checked = check(agentSchema, input);
  await checkAddresses(context, checked);
  const id = options.id ?? newId();
  const { skills, taskCategories, authentication, provider, providerId, handle, ...fields } = checked;
  const action = options.action ?? 'registered';
  const agent = await conflictsAs(checked, () =>
    context.database.transaction(async (tx) => {
      const now = new Date();
      const row = tx.em.create(AgentEntity, {
        ...fields,
        type: storedType(fields.type),
        id,
        handle: handle ?? (await freeHandle(tx.query, handleFromName(checked.name))),
        provider: await providerOf(tx, principal, { provider, providerId }),
        authenticationType: authentication.type,
        authenticationConfig: sealAuthentication(context.secrets, id, authentication),
        owner: principal.subject,
        createdAt: now,
        updatedAt: now,
      } as never) as AgentRow;
      await tx.em.flush();
      createSkills(tx, id, skills);
      recordChange(tx, principal, row, action, []);
      await tx.em.flush();
      // Not through the unit of work: it takes the default -infinity for an invalid date, and writes it back.
      await tx.query('insert into agent_usage (agent) values ($1)', [id]);
      await replaceTaskCategories(tx, principal, row, taskCategories);
      await options.alsoWrite?.(tx, id);
      await refreshSearch(tx.query, [id]);
      return row;
    }),
  );
  publishAgent(context, agent, action);
  return id;
}

/**
 * Changes fields of an agent: what the patch leaves out stays, null clears. A changed origin drops the stored
 * credentials unless the patch brings new ones.
 *
 * @throws RollcallError as {@link changeAgent}, and INVALID_INPUT, ALREADY_EXISTS, EGRESS_DENIED.
 */
export async function updateAgent(
  context: RegistryContext,
  principal: Principal,
  agentId: string,
  patch: AgentPatch,
  options: {
    readonly revision?: number | undefined;
    readonly action?: AgentAction;
    readonly alsoChange?: (agent: AgentRow, tx: Transaction) => Promise<readonly FieldChange[]>;
  } = {},
): Promise<void> {
  const { authentication, provider, providerId, ...fields } = check(agentPatchSchema, patch);
  requireScope(principal, 'registry:write');
  await checkAddresses(context, { url: fields.url, interfaces: fields.interfaces, authentication });
  await conflictsAs(fields, () =>
    changeAgent(
      context,
      principal,
      { agentId, revision: options.revision, action: options.action ?? 'updated' },
      async (agent, tx) => {
        const before = snapshot(agent);
        // What is the same as JSON stays untouched: the unit of work would take another order of members for a change.
        for (const [field, value] of Object.entries(fields))
          if (value !== undefined && !sameJson((agent as unknown as Record<string, unknown>)[field], value))
            (agent as unknown as Record<string, unknown>)[field] = value;
        agent.type = storedType(agent.type);
        if (agent.flyteName === null && (await hasCategories(tx, agentId))) {
          throw invalid(
            'input.flyteName',
            'the agent has task categories, so Flyte needs a name for it; remove the categories first',
          );
        }
        if (provider !== undefined || providerId !== undefined)
          agent.provider = (await providerOf(tx, principal, { provider, providerId })) as never;
        const secret = changeCredentials(context, agent, reached(before), authentication);
        const also = (await options.alsoChange?.(agent, tx)) ?? [];
        return [...fieldChanges(before, snapshot(agent)), ...secret, ...also];
      },
    ),
  );
}

const hasCategories = async (tx: Transaction, agentId: string): Promise<boolean> =>
  (await tx.query('select 1 from task_category where agent = $1 limit 1', [agentId])).length > 0;

function changeCredentials(
  context: RegistryContext,
  agent: AgentRow,
  before: Reached,
  authentication: CheckedAgent['authentication'] | undefined,
): FieldChange[] {
  const had = agent.authenticationConfig ?? null;
  if (authentication !== undefined) {
    agent.authenticationType = authentication.type;
    agent.authenticationConfig = sealAuthentication(context.secrets, agent.id, authentication);
    const same =
      had !== null &&
      agent.authenticationConfig !== null &&
      JSON.stringify(openAuthentication(context.secrets, agent.id, had)) === JSON.stringify(authentication);
    if (same) agent.authenticationConfig = had;
  } else if (had !== null && originChanged(before, reached(agent))) {
    agent.authenticationConfig = null;
  }
  const has = agent.authenticationConfig ?? null;
  if (had === has) return [];
  const shown = had === null ? '(set)' : has === null ? '(removed)' : '(changed)';
  return [{ field: 'authenticationConfig', before: had === null ? null : '(set)', after: shown }];
}

/** Sets the lifecycle status. @throws as {@link changeAgent}. */
export async function setAgentStatus(
  context: RegistryContext,
  principal: Principal,
  agentId: string,
  status: AgentStatus,
  revision?: number,
): Promise<void> {
  await changeAgent(context, principal, { agentId, revision, action: 'statusSet' }, (agent) => {
    const before = agent.status;
    agent.status = status;
    return before === status ? [] : [{ field: 'status', before, after: status }];
  });
}

/**
 * Deletes an agent: it disappears everywhere, its handle, card URL and task categories become free, its tasks stay
 * readable by their owners.
 *
 * @throws as {@link changeAgent}.
 */
export async function deleteAgent(
  context: RegistryContext,
  principal: Principal,
  agentId: string,
  revision?: number,
): Promise<void> {
  await changeAgent(context, principal, { agentId, revision, action: 'deleted' }, async (agent, tx) => {
    agent.deletedAt = new Date();
    agent.authenticationConfig = null;
    await tx.query('delete from source_card where agent = $1', [agentId]);
    await tx.query('delete from task_category where agent = $1', [agentId]);
    await tx.query('delete from flyte_deployment where agent = $1', [agentId]);
    return [{ field: 'deletedAt', before: null, after: agent.deletedAt.toISOString() }];
  });
}
