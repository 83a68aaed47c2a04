import { status } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import type { CategoryKey } from '../../protocol/flyte/routing-views.ts';
import { type CallContext, codeOf, retrying, retryUntil, upstreamDeadline } from './calls.ts';
import { chooseForNewTask, takesNewTasks } from './choose.ts';
import { type ChannelUse, type Connections, NotSentError } from './connections.ts';
import { type FlyteDeployment, type FlyteOperation, type FlyteRouteRow, OPERATION_TIMEOUTS_MS } from './deployments.ts';
import type { FlyteGeneration } from './methods.ts';
import type { Suspects } from './suspects.ts';
import type { RoutingTable } from './table.ts';

/** A connected deployment. `use.release` must be called when the call has ended. */
export interface Line {
  readonly deployment: FlyteDeployment;
  readonly use: ChannelUse;
  /** The caller's circumstances, with the deadline that holds for the deployment. */
  readonly context: CallContext;
}

/** A task category as texts name it; flytekit's form. */
export const nameOf = ({ name, version }: CategoryKey): string => `${name}_v${version}`;

/** Finds the deployment for a call and connects to it. */
export class Dispatcher {
  /** Whose callers it serves. */
  readonly generation: FlyteGeneration;
  readonly #table: () => RoutingTable | undefined;
  readonly #connections: Connections;
  readonly #suspects: Suspects;

  /** @param table the present table; undefined until it was read once */
  constructor(
    generation: FlyteGeneration,
    table: () => RoutingTable | undefined,
    connections: Connections,
    suspects: Suspects,
  ) {
    this.generation = generation;
    this.#table = table;
    this.#connections = connections;
    this.#suspects = suspects;
  }

  /** @throws RollcallError DATABASE_UNAVAILABLE before the first read */
  #read(): RoutingTable {
    const table = this.#table();
    if (table !== undefined) return table;
    throw new RollcallError('DATABASE_UNAVAILABLE', 'The registry has not been read yet; try again shortly.');
  }

  /** @throws RollcallError NOT_FOUND when no agent has the category, DATABASE_UNAVAILABLE before the first read */
  route(category: CategoryKey): FlyteRouteRow {
    const route = this.#read().route(category, this.generation);
    if (route !== undefined) return route;
    throw new RollcallError('NOT_FOUND', `Cannot find agent for task category: ${nameOf(category)}.`);
  }

  /** As {@link route}, for a task that begins. @throws RollcallError FAILED_PRECONDITION when it is of the other kind, AGENT_INACTIVE */
  routeForNew(category: CategoryKey, isSync: boolean): FlyteRouteRow {
    const route = this.route(category);
    if (route.isSync !== isSync) {
      const [kind, method] = route.isSync ? ['sync', 'ExecuteTaskSync'] : ['async', 'CreateTask'];
      throw new RollcallError(
        'FAILED_PRECONDITION',
        `Task category ${nameOf(category)} belongs to the ${kind} agent "${route.agent}": call ${method}.`,
      );
    }
    if (!route.active) {
      throw new RollcallError('AGENT_INACTIVE', `Agent "${route.agent}" is inactive: it takes no new tasks.`);
    }
    return route;
  }

  /**
   * The deployment that created a job, whoever has the job's category by now: another one may know a job of that name
   * too, and would tell of that, or delete it.
   *
   * @throws RollcallError UPSTREAM_UNREACHABLE when it is not registered any more, DATABASE_UNAVAILABLE before the first read
   */
  creator(id: string): FlyteDeployment {
    const deployment = this.#read().deployment(id, this.generation);
    if (deployment !== undefined) return deployment;
    throw new RollcallError(
      'UPSTREAM_UNREACHABLE',
      'The deployment that created this job is no longer registered, and no other is asked in its place.',
    );
  }

  /** A deployment for a job that was created before Rollcall stood there: one of the owner of its category. */
  anyOf(category: CategoryKey): FlyteDeployment {
    const route = this.route(category);
    if (route.isSync) this.routeForNew(category, false);
    const { agent, deployments } = route;
    const deployment = deployments.find((each) => each.healthy && !each.draining) ?? deployments[0];
    if (deployment !== undefined) return deployment;
    throw new RollcallError('UPSTREAM_UNREACHABLE', `Agent "${agent}" has no deployment.`);
  }

  /**
   * Connects to a deployment for a new task. Deployments that do not take the connection are passed over, and all that
   * there are by then are tried again while there is time: nothing has been sent yet.
   */
  async toNew(category: CategoryKey, isSync: boolean, operation: FlyteOperation, context: CallContext): Promise<Line> {
    const { deployments } = this.routeForNew(category, isSync);
    const longest = Math.max(0, ...deployments.map((deployment) => timeoutOf(deployment, operation)));
    const passes = (code: number): boolean => code === status.UNAVAILABLE;
    const attempt = (): Promise<Line> => this.#oneOf(this.routeForNew(category, isSync), operation, context);
    return retrying(attempt, passes, retryUntil(context.deadline, longest), context.signal);
  }

  async #oneOf(route: FlyteRouteRow, operation: FlyteOperation, context: CallContext): Promise<Line> {
    const left = new Set(route.deployments);
    let refused: unknown;
    for (;;) {
      const deployment = chooseForNewTask([...left], (id) => this.#suspects.has(id));
      if (deployment === undefined) throw refused ?? noDeployment(route);
      try {
        return await this.to(deployment, operation, context);
      } catch (error) {
        // What is neither a refusal nor an overload of this one (the caller cancelled) holds for the others too.
        if (!(error instanceof RollcallError)) throw error;
        refused = error;
        left.delete(deployment);
      }
    }
  }

  /** Connects to this deployment. */
  async to(deployment: FlyteDeployment, operation: FlyteOperation, context: CallContext): Promise<Line> {
    const deadline = upstreamDeadline(context.deadline, timeoutOf(deployment, operation));
    try {
      const use = await this.#connections.use(deployment, deadline, context.signal);
      return { deployment, use, context: { ...context, deadline } };
    } catch (error) {
      if (error instanceof NotSentError) this.#suspects.failed(deployment.id);
      throw error;
    }
  }

  /** Tells how a call over a line ended, and releases the line. */
  ended({ deployment, use }: Line, error?: unknown): void {
    use.release();
    if (error === undefined) this.#suspects.succeeded(deployment.id);
    else if (codeOf(error) === status.UNAVAILABLE) this.#suspects.failed(deployment.id);
  }
}

/** Milliseconds. */
export const timeoutOf = (deployment: FlyteDeployment, operation: FlyteOperation): number =>
  deployment.timeoutsMs?.[operation] ?? OPERATION_TIMEOUTS_MS[operation];

function noDeployment({ agent, deployments }: FlyteRouteRow): RollcallError {
  const draining = deployments.filter((each) => each.draining).length;
  const unhealthy = deployments.filter((each) => !each.draining && !each.healthy).length;
  const idle = deployments.filter((each) => !takesNewTasks(each)).length - draining - unhealthy;
  const why =
    deployments.length === 0
      ? 'none is registered'
      : `${draining} draining, ${unhealthy} unhealthy, ${idle} of weight 0`;
  return new RollcallError(
    'UPSTREAM_UNREACHABLE',
    `No deployment of agent "${agent}" takes new tasks of this generation of Flyte (${why}).`,
  );
}
