import { type Command, InvalidArgumentError, Option } from 'commander';
import { RollcallError } from '../../errors.ts';
import { AGENT_STATUSES, VISIBILITIES } from '../../registry/words.ts';
import type { AgentView, CardReport, FlyteRequest } from '../access/access.ts';
import { AlreadyTold } from '../exit.ts';
import { type Io, printable, say } from '../io.ts';
import { fieldsText, table } from '../table.ts';
import { type CommonOptions, plural, wholeNumber, withAccess, withRegistry } from './common.ts';
import { deploymentText } from './deployments.ts';

interface ListOptions extends CommonOptions {
  readonly search?: string;
  readonly status?: readonly string[];
  readonly skill?: string;
  readonly tag?: string;
  readonly limit: number;
}

interface ImportOptions extends CommonOptions {
  readonly handle?: string;
  readonly visibility?: string;
}

interface FlyteOptions extends CommonOptions {
  readonly name?: string;
  readonly sync?: boolean;
  readonly async?: boolean;
  readonly category?: FlyteRequest['taskCategories'];
}

/** `rollcall agents list | show | flyte | import`. */
export function addAgentsCommand(program: Command, io: Io): void {
  const agents = program.command('agents').description('List, show, change and import agents.');

  withAccess(agents.command('list'))
    .description('List agents.')
    .option('--search <words>', 'words of name, handle, description, skills and tags')
    .addOption(new Option('--status <status...>', 'of these states').choices(AGENT_STATUSES))
    .option('--skill <key>', 'with this skill')
    .option('--tag <tag>', 'with a skill of this tag')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 100_000), 100)
    .action((options: ListOptions) => list(io, options));

  withAccess(agents.command('show <id-or-handle>'))
    .description('Show everything about one agent.')
    .action((idOrHandle: string, options: CommonOptions) => show(io, idOrHandle, options));

  withAccess(agents.command('flyte <id-or-handle>'))
    .description(
      'Say how Flyte knows an agent: its unique name, its kind, its task categories. What is not given stays.',
    )
    .option('--name <flyte-name>', 'unique; needed for task categories')
    .addOption(new Option('--sync', 'called by ExecuteTaskSync').conflicts('async'))
    .option('--async', 'called by CreateTask and GetTask')
    .addOption(
      new Option('--category <categories...>', 'all of its task categories: name, or name@version').argParser(
        readCategory,
      ),
    )
    .action((idOrHandle: string, options: FlyteOptions) => setFlyte(io, idOrHandle, options));

  withAccess(agents.command('import <url>'))
    .description('Register the agent whose A2A card is at a URL: its base URL, or that of the card.')
    .option('--handle <handle>', 'its handle here; made from its name when left out')
    .addOption(new Option('--visibility <visibility>', 'who sees it (default: internal)').choices(VISIBILITIES))
    .action((url: string, options: ImportOptions) => importAgent(io, url, options));
}

/** Skills that a row of the list names. */
const SHOWN_SKILLS = 3;

const COLUMNS: readonly (readonly [title: string, of: (agent: AgentView) => string])[] = [
  ['HANDLE', (a) => String(a.handle)],
  ['NAME', (a) => String(a.name)],
  ['TYPE', (a) => String(a.type)],
  ['EXECUTION', (a) => String(a.executionType)],
  ['STATUS', (a) => String(a.status)],
  ['PROVIDER', (a) => String(a.provider?.name ?? '-')],
  ['SKILLS', (a) => skillsText(a)],
];

function skillsText({ skills }: AgentView): string {
  const rest = skills.length - SHOWN_SKILLS;
  const shown = skills.slice(0, SHOWN_SKILLS).map((s) => String(s.key));
  return shown.length === 0 ? '-' : [...shown, ...(rest > 0 ? [`+${rest}`] : [])].join(', ');
}

async function list(io: Io, options: ListOptions): Promise<void> {
  const { agents, more } = await withRegistry(io, options, { mayMigrate: false }, (access) =>
    access.listAgents(options),
  );
  const text =
    agents.length === 0
      ? 'No agents.'
      : table(
          COLUMNS.map(([title]) => title),
          agents.map((agent) => COLUMNS.map(([, of]) => of(agent))),
        );
  await say(io, options.json, { agents, more }, text);
  if (more && options.json !== true)
    io.stderr.write(`The first ${plural(agents.length, 'agent')}; there are more: --limit shows them.\n`);
}

async function show(io: Io, idOrHandle: string, options: CommonOptions): Promise<void> {
  const agent = await withRegistry(io, options, { mayMigrate: false }, (access) => access.agent(idOrHandle));
  if (agent === undefined)
    throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(idOrHandle)} that you may see.`);
  const { skills, taskCategories, deployments, provider, ...fields } = agent;
  const text = fieldsText({
    ...fields,
    provider: provider === null ? null : [provider.name, provider.url].filter((x) => x !== null).join(' '),
    taskCategories: taskCategories.map((c) => `${c.name} v${c.version}`),
    deployments: deployments.map(deploymentText),
    skills: skills.map((s) => [s.key, s.name === s.key ? '' : `(${String(s.name)})`].filter(Boolean).join(' ')),
  });
  await say(io, options.json, agent, text);
}

/** "spark@1". */
function readCategory(
  text: string,
  before: FlyteRequest['taskCategories'] = [],
): NonNullable<FlyteRequest['taskCategories']> {
  const [, name = '', version = '0'] = /^([^@]+)(?:@(.*))?$/s.exec(text) ?? [];
  if (name === '' || !/^\d{1,10}$/.test(version))
    throw new InvalidArgumentError('It must be a name, or a name and a version as in spark@1.');
  return [...before, { name, version: Number(version) }];
}

async function setFlyte(io: Io, idOrHandle: string, options: FlyteOptions): Promise<void> {
  const { name, sync, category: taskCategories } = options;
  const isSync = sync === true ? true : options.async === true ? false : undefined;
  const agent = await withRegistry(io, options, { mayMigrate: false }, async (access) => {
    const found = await access.agent(idOrHandle);
    if (found === undefined)
      throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(idOrHandle)} that you may see.`);
    return access.setFlyte(String(found.id), { flyteName: name, isSync, taskCategories });
  });
  const categories = agent.taskCategories.map((c) => `${c.name} v${c.version}`).join(', ') || 'no task categories';
  const kind = agent.isSync === true ? 'sync' : 'async';
  await say(io, options.json, { agent }, `${agent.handle}: ${String(agent.flyteName ?? '-')}, ${kind}, ${categories}.`);
}

async function importAgent(io: Io, url: string, options: ImportOptions): Promise<void> {
  await withRegistry(io, options, { mayMigrate: true }, async (access) => {
    const report = await access.previewCard(url);
    if (options.json !== true) tellProblems(io, report);
    if (!report.valid) {
      if (options.json === true) await say(io, true, { agent: null, ...report }, '');
      io.stderr.write(`rollcall: the card at ${url} cannot be used\n`);
      throw new AlreadyTold();
    }
    const agent = await access.importAgent({ url, handle: options.handle, visibility: options.visibility });
    await say(io, options.json, { agent, ...report }, `Imported ${agent.handle} (${agent.id}).`);
  });
}

const tellProblems = (io: Io, { problems }: CardReport): void => {
  for (const { path, severity, message } of problems)
    io.stderr.write(`${severity}: ${printable(path)}: ${printable(message)}\n`);
};
