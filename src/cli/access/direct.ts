import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createRegistryCore } from '../../app/core.ts';
import { createAuthenticator } from '../../auth/authenticator.ts';
import { LOCAL_USER } from '../../auth/principal.ts';
import type { Config } from '../../config.ts';
import { openDatabase } from '../../database/database.ts';
import { isUuid } from '../../database/ids.ts';
import { RollcallError } from '../../errors.ts';
import { createLog } from '../../log.ts';
import type { Agent, Deployment } from '../../registry/model.ts';
import { mayChange } from '../../registry/visibility.ts';
import {
  AGENT_FIELDS,
  type AgentView,
  collect,
  DEPLOYMENT_FIELDS,
  type DeploymentView,
  PAGE,
  PROVIDER_FIELDS,
  type RegistryAccess,
  SKILL_FIELDS,
} from './access.ts';

export interface DirectOptions {
  /** A token whose subject acts; without one, the local user with every scope: who can open the database owns it. */
  readonly token?: string | undefined;
  /** True for commands that may make and migrate the database; the others refuse one that is missing or old. */
  readonly mayMigrate: boolean;
  readonly logLevel: string;
}

/**
 * The registry by opening its database.
 *
 * @throws RollcallError FAILED_PRECONDITION with the field DATA_DIR when another process holds it; when there is no
 *   registry there; when migrations are missing.
 */
export async function direct(config: Config, options: DirectOptions): Promise<RegistryAccess> {
  if (config.DATABASE_URL === undefined && !options.mayMigrate && !existsSync(join(config.DATA_DIR, 'pglite')))
    throw new RollcallError(
      'FAILED_PRECONDITION',
      `There is no registry in ${resolve(config.DATA_DIR)} yet. Start one (rollcall start), load one (rollcall load), or say where it is with --data-dir, --database-url or --server.`,
    );
  const principal =
    options.token === undefined
      ? LOCAL_USER
      : await createAuthenticator(config).authenticate(`Bearer ${options.token}`);
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  try {
    if (options.mayMigrate) await database.migrate();
    else if ((await database.pendingMigrations()).length > 0)
      throw new RollcallError(
        'FAILED_PRECONDITION',
        `The ${database.describe} is of an older Rollcall: run rollcall migrate first.`,
      );
  } catch (error) {
    await database.close();
    throw error;
  }
  const gateway = () => ({ publicUrl: config.PUBLIC_URL ?? '', auth: 'none' as const });
  const { registry, cards, egress, events } = createRegistryCore(
    config,
    database,
    createLog(options.logLevel),
    gateway,
  );

  const view = async (agents: readonly Agent[]): Promise<AgentView[]> => {
    const ids = agents.map((a) => a.id);
    const [skills, categories] = [await registry.skillsOfAgents(ids), await registry.taskCategoriesOfAgents(ids)];
    const deployments = await registry.deploymentsOfAgents(ids);
    return agents.map((agent, i) => ({
      ...pick(agent, AGENT_FIELDS),
      provider: agent.provider === null ? null : pick(agent.provider, PROVIDER_FIELDS),
      skills: skills[i]!.map((skill) => pick(skill, SKILL_FIELDS)),
      taskCategories: categories[i]!.map(({ name, version }) => ({ name, version })),
      deployments: deployments[i]!.map(deploymentView).map((one) =>
        mayChange(principal, agent) ? one : { ...one, endpoint: null },
      ),
    }));
  };

  return {
    describe: database.describe,
    async listAgents({ search, status, skill, tag, limit }) {
      const filter = { status: status ?? null, skillKey: skill ?? null, tag: tag ?? null };
      const { items, more } = await collect(limit, async (first, after) => {
        const page = await registry.listAgents(principal, { filter, search: search ?? null, first, after });
        return {
          items: page.items.map(({ item }) => item),
          next: page.hasNextPage ? page.items.at(-1)!.cursor : null,
        };
      });
      const agents: AgentView[] = [];
      for (let i = 0; i < items.length; i += PAGE) agents.push(...(await view(items.slice(i, i + PAGE))));
      return { agents, more };
    },
    async agent(idOrHandle) {
      const found = isUuid(idOrHandle)
        ? (await registry.agentsById(principal, [idOrHandle]))[0]
        : await registry.agentByHandle(principal, idOrHandle);
      return found === undefined ? undefined : (await view([found]))[0];
    },
    async previewCard(url) {
      const { agent, problems } = await cards.preview(principal, url);
      return { valid: agent !== undefined, problems };
    },
    async importAgent({ url, handle, visibility }) {
      const agent = await cards.import(principal, url, {
        ...(handle === undefined ? {} : { handle }),
        ...(visibility === undefined ? {} : { visibility: visibility as Agent['visibility'] }),
      });
      return (await view([agent]))[0]!;
    },
    exportRecords: (after) => registry.exportRecords(principal, { first: PAGE, after }),
    loadRecords: (records, loadOptions) => registry.loadRecords(principal, records, loadOptions),
    async setFlyte(agentId, { taskCategories, ...fields }) {
      let agent = await registry.updateAgent(principal, agentId, given(fields));
      if (taskCategories !== undefined) agent = await registry.setTaskCategories(principal, agentId, taskCategories);
      return (await view([agent]))[0]!;
    },
    registerDeployment: async (agentId, input) =>
      deploymentView(await registry.registerDeployment(principal, agentId, given(input) as never)),
    updateDeployment: async (id, patch) =>
      deploymentView(await registry.updateDeployment(principal, id, given(patch) as never)),
    removeDeployment: async (id) => deploymentView(await registry.removeDeployment(principal, id)),
    async close() {
      await registry.close();
      await egress.close();
      await events.close();
      await database.close();
    },
  };
}

const deploymentView = (deployment: Deployment): DeploymentView => pick(deployment, DEPLOYMENT_FIELDS);

/** What was given of a request: the registry takes a field that is there for one to set. */
const given = (request: object): object =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));

/** These fields of a thing, as JSON has them. */
const pick = <K extends string>(from: { readonly [F in K]: unknown }, fields: readonly K[]): Record<K, unknown> =>
  Object.fromEntries(
    fields.map((f) => {
      const value = from[f];
      return [f, value instanceof Date ? value.toISOString() : value];
    }),
  ) as Record<K, unknown>;
