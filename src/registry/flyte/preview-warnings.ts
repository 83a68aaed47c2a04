import { showCategory } from '../agents/task-categories.ts';
import type { TaskCategory } from '../model.ts';
import { type FlyteAgent, isDriven, type ListedAgent, takesNewTasks } from './catalog.ts';
import type { FlyteStanding, PreviewAgent } from './preview.ts';

/** Why Flyte does not see or reach an agent as it was registered. */
export const FLYTE_WARNINGS = [
  'portShut',
  'noCategories',
  'notSeen',
  'inactive',
  'noDeployment',
  'noneTakesTasks',
  'onlySecondGeneration',
  'syncInSecondGeneration',
  'syncForgotten',
  'needsDefault',
] as const;
export type FlyteWarningKind = (typeof FLYTE_WARNINGS)[number];

/** One thing that a Flyte operator should know. */
export interface FlyteWarning {
  readonly kind: FlyteWarningKind;
  readonly message: string;
  /** The agent that it is about; null when it is about the door itself. */
  readonly agentId: string | null;
  readonly category: TaskCategory | null;
}

interface Findings {
  /** What the caller sees. */
  readonly mine: readonly FlyteAgent[];
  /** What Flyte's principal sees. */
  readonly all: readonly FlyteAgent[];
  readonly listed: readonly ListedAgent[];
  /** The previewed agents, as far as the caller sees them. */
  readonly agents: readonly PreviewAgent[];
  readonly standing: FlyteStanding;
}

type Find = (findings: Findings) => readonly FlyteWarning[];

const about = (kind: FlyteWarningKind, agent: { readonly id: string } | null, message: string): FlyteWarning => ({
  kind,
  message,
  agentId: agent?.id ?? null,
  category: null,
});

const portShut: Find = ({ standing }) => {
  if (standing.open) return [];
  const why = standing.principal === undefined ? 'FLYTE_PRINCIPAL names nobody to act as' : 'FLYTE_PORT is not set';
  return [about('portShut', null, `Flyte's port is shut (${why}): propeller sees nothing of this.`)];
};

/** Each agent that the caller sees, by itself. */
const ofAgents: Find = ({ mine, all, listed, standing }) => {
  const seen = new Set(all.map(({ id }) => id));
  const isListed = new Set(listed.map(({ id }) => id));
  return mine.flatMap((agent) => {
    if (agent.categories.length === 0)
      return [about('noCategories', agent, `${agent.handle} has no task categories: Flyte does not find it.`)];
    if (standing.principal !== undefined && !seen.has(agent.id))
      return [
        about('notSeen', agent, `${agent.handle} is private, and Flyte's services act as somebody else: not listed.`),
      ];
    if (agent.status === 'inactive')
      return [about('inactive', agent, `${agent.handle} is inactive: not listed; its running tasks go on.`)];
    return isListed.has(agent.id) ? ofDeployments(agent, standing) : [];
  });
};

function ofDeployments(agent: FlyteAgent, standing: FlyteStanding): FlyteWarning[] {
  if (agent.categories.every((category) => standing.serves(category))) return [];
  if (isDriven(agent)) return [];
  if (agent.deployments.length === 0)
    return [about('noDeployment', agent, `${agent.handle} is listed, but has no deployment: its tasks fail.`)];
  const second = agent.deployments.some(({ generation }) => generation === 2);
  const warnings: FlyteWarning[] = [];
  if (agent.isSync && second)
    warnings.push(
      about(
        'syncInSecondGeneration',
        agent,
        `${agent.handle} is sync: its deployments of generation 2 are never used.`,
      ),
    );
  if (agent.deployments.every(({ generation }) => generation === 2))
    warnings.push(
      about(
        'onlySecondGeneration',
        agent,
        `${agent.handle} has deployments of generation 2 alone: tasks of Flyte 1.x fail.`,
      ),
    );
  else if (!takesNewTasks(agent, 1))
    warnings.push(
      about(
        'noneTakesTasks',
        agent,
        `Every deployment of ${agent.handle} is draining or has weight 0: its new tasks fail.`,
      ),
    );
  return warnings;
}

/** What propeller's one version per name makes of each category. */
const ofCategories: Find = ({ agents }) =>
  agents.flatMap((agent) =>
    agent.categories
      .filter(({ kept }) => !kept)
      .map(({ name, version, calledAs }): FlyteWarning => {
        const shown = showCategory({ name, version });
        const forgotten = agent.isSync && calledAs === 'async';
        return {
          kind: forgotten ? 'syncForgotten' : 'needsDefault',
          agentId: agent.agentId,
          category: { name, version },
          message: forgotten
            ? `FlytePropeller 1.x keeps another version of ${name} and calls ${shown} as async, which fails: give it a name of its own.`
            : `FlytePropeller 1.x keeps another version of ${name}: ${shown} works where Rollcall is its default agent.`,
        };
      }),
  );

const FINDS: readonly Find[] = [portShut, ofAgents, ofCategories];

/** Everything that is worth a warning, in a steady order. */
export const warningsOf = (findings: Findings): FlyteWarning[] => FINDS.flatMap((find) => [...find(findings)]);
