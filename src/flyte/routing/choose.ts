import type { FlyteDeployment } from './deployments.ts';

/** Whether a deployment takes new tasks at all. */
export const takesNewTasks = ({ draining, healthy, weight }: FlyteDeployment): boolean =>
  !draining && healthy && weight > 0;

/**
 * One of the deployments, by weight.
 * @param random gives a number from 0 to below 1
 */
export function byWeight(
  deployments: readonly FlyteDeployment[],
  random: () => number = Math.random,
): FlyteDeployment | undefined {
  let left = random() * deployments.reduce((sum, { weight }) => sum + weight, 0);
  for (const deployment of deployments) {
    left -= deployment.weight;
    if (left < 0) return deployment;
  }
  // Rounding may leave a crumb at the end.
  return deployments.at(-1);
}

/**
 * The deployment for a new task: by weight among those that take new tasks and that nothing speaks against. When
 * something speaks against each of them, by weight among all of them: a try costs less than a task that fails untried.
 */
export function chooseForNewTask(
  deployments: readonly FlyteDeployment[],
  isSuspect: (id: string) => boolean,
  random?: () => number,
): FlyteDeployment | undefined {
  const open = deployments.filter(takesNewTasks);
  const trusted = open.filter(({ id }) => !isSuspect(id));
  return byWeight(trusted.length > 0 ? trusted : open, random);
}
