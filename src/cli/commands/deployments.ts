import { type Command, InvalidArgumentError, Option } from 'commander';
import { RollcallError } from '../../errors.ts';
import { FLYTE_OPERATIONS } from '../../registry/words.ts';
import type { AgentView, DeploymentRequest, DeploymentView, RegistryAccess } from '../access/access.ts';
import { type Io, say } from '../io.ts';
import { table } from '../table.ts';
import { type CommonOptions, wholeNumber, withAccess, withRegistry } from './common.ts';

interface ChangeOptions extends CommonOptions {
  readonly endpoint?: string;
  readonly tls?: boolean;
  readonly plaintext?: boolean;
  readonly generation?: number;
  readonly weight?: number;
  readonly timeout?: Readonly<Record<string, number>>;
}

interface DrainOptions extends CommonOptions {
  readonly undo?: boolean;
}

interface RemoveOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

const weight = () =>
  new Option('--weight <n>', "share of new tasks, relative to the agent's others").argParser(wholeNumber(0, 1_000));
const timeout = () =>
  new Option('--timeout <operation=ms...>', `milliseconds for an operation: ${FLYTE_OPERATIONS.join(', ')}`).argParser(
    readTimeout,
  );

/** `rollcall deployments list | add | set | drain | remove`. */
export function addDeploymentsCommand(program: Command, io: Io): void {
  const deployments = program.command('deployments').description("Where agents serve Flyte's tasks.");

  withAccess(deployments.command('list <agent>'))
    .description('List the deployments of an agent, by its id or handle.')
    .action((agent: string, options: CommonOptions) => list(io, agent, options));

  withAccess(deployments.command('add <agent> <endpoint>'))
    .description('Add a deployment, as host:port, to an agent.')
    .option('--plaintext', 'without TLS')
    .addOption(
      new Option('--generation <n>', 'its services: 1 for flyteidl, 2 for flyteidl2')
        .argParser(wholeNumber(1, 2))
        .default(1),
    )
    .addOption(weight())
    .addOption(timeout())
    .action((agent: string, endpoint: string, options: ChangeOptions) =>
      told(io, options, 'Added', async (access) =>
        access.registerDeployment(String((await agentOf(access, agent)).id), { ...requestOf(options), endpoint }),
      ),
    );

  withAccess(deployments.command('set <id>'))
    .description('Change a deployment: what is not given stays. Its jobs are looked for at a changed endpoint.')
    .option('--endpoint <endpoint>', 'host:port')
    .addOption(new Option('--tls', 'with TLS').conflicts('plaintext'))
    .option('--plaintext', 'without TLS')
    .addOption(weight())
    .addOption(timeout())
    .action((id: string, options: ChangeOptions) =>
      told(io, options, 'Changed', (access) => access.updateDeployment(id, requestOf(options))),
    );

  withAccess(deployments.command('drain <id>'))
    .description('Give a deployment no new tasks; its jobs are still polled and deleted.')
    .option('--undo', 'give it new tasks again')
    .action((id: string, options: DrainOptions) =>
      told(io, options, options.undo === true ? 'No longer draining' : 'Draining', (access) =>
        access.updateDeployment(id, { draining: options.undo !== true }),
      ),
    );

  withAccess(deployments.command('remove <agent> <id>'))
    .description('Remove a deployment of an agent. Jobs that still run there are not asked for anywhere else.')
    .option('--dry-run', 'only tell what would be removed')
    .action((agent: string, id: string, options: RemoveOptions) => remove(io, agent, id, options));
}

/** "getTask=5000". */
function readTimeout(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [operation = '', ms = ''] = text.split('=');
  if (!FLYTE_OPERATIONS.includes(operation as never))
    throw new InvalidArgumentError(`The operation must be one of ${FLYTE_OPERATIONS.join(', ')}.`);
  return { ...before, [operation]: wholeNumber(1, 3_600_000)(ms) };
}

const requestOf = ({ endpoint, tls, plaintext, generation, weight: share, timeout: timeouts }: ChangeOptions) =>
  ({
    endpoint,
    tls: plaintext === true ? false : tls,
    generation,
    weight: share,
    timeouts,
  }) satisfies DeploymentRequest;

async function agentOf(access: RegistryAccess, idOrHandle: string): Promise<AgentView> {
  const agent = await access.agent(idOrHandle);
  if (agent !== undefined) return agent;
  throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(idOrHandle)} that you may see.`);
}

const COLUMNS: readonly (readonly [title: string, of: (deployment: DeploymentView) => string])[] = [
  ['ID', (d) => String(d.id)],
  ['ENDPOINT', (d) => String(d.endpoint ?? '(hidden)')],
  ['TLS', (d) => (d.tls === true ? 'yes' : 'no')],
  ['GENERATION', (d) => String(d.generation)],
  ['WEIGHT', (d) => String(d.weight)],
  ['STATE', (d) => (d.draining === true ? 'draining' : 'open')],
];

/** A deployment in one line. */
export const deploymentText = (d: DeploymentView): string =>
  [
    String(d.endpoint ?? '(hidden)'),
    d.tls === true ? 'TLS' : 'plaintext',
    `generation ${d.generation}`,
    `weight ${d.weight}`,
    ...(d.draining === true ? ['draining'] : []),
    String(d.id),
  ].join(', ');

async function list(io: Io, agent: string, options: CommonOptions): Promise<void> {
  const { deployments } = await withRegistry(io, options, { mayMigrate: false }, (access) => agentOf(access, agent));
  const text =
    deployments.length === 0
      ? 'No deployments.'
      : table(
          COLUMNS.map(([title]) => title),
          deployments.map((deployment) => COLUMNS.map(([, of]) => of(deployment))),
        );
  await say(io, options.json, { deployments }, text);
}

/** Does it, and tells what became of the deployment. */
async function told(
  io: Io,
  options: CommonOptions,
  did: string,
  work: (access: RegistryAccess) => Promise<DeploymentView>,
): Promise<void> {
  const deployment = await withRegistry(io, options, { mayMigrate: false }, work);
  await say(io, options.json, { deployment }, `${did}: ${deploymentText(deployment)}.`);
}

async function remove(io: Io, agent: string, id: string, options: RemoveOptions): Promise<void> {
  await withRegistry(io, options, { mayMigrate: false }, async (access) => {
    const { handle, deployments } = await agentOf(access, agent);
    const deployment = deployments.find((each) => each.id === id);
    if (deployment === undefined)
      throw new RollcallError('NOT_FOUND', `The agent ${handle} has no deployment ${JSON.stringify(id)}.`);
    if (options.dryRun !== true) await access.removeDeployment(id);
    const text = `${options.dryRun === true ? 'Would remove' : 'Removed'}: ${deploymentText(deployment)}.`;
    await say(io, options.json, { dryRun: options.dryRun === true, deployment }, text);
  });
}
