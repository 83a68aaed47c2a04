import type { CategoryKey } from '../../protocol/flyte/routing-views.ts';
import type { FlyteDeployment, FlyteRouteRow } from './deployments.ts';
import type { FlyteGeneration } from './methods.ts';

const keyOf = ({ name, version }: CategoryKey, generation: FlyteGeneration): string =>
  `${generation} ${version} ${name}`;

/** Who owns which task category, ready for look-ups. */
export class RoutingTable {
  readonly #routes = new Map<string, FlyteRouteRow>();
  readonly deployments: readonly FlyteDeployment[];
  readonly #byId: ReadonlyMap<string, FlyteDeployment>;

  /** @param isFit whether a deployment takes new tasks at this moment, as far as it was found out since the rows were read */
  constructor(rows: readonly FlyteRouteRow[], isFit: (id: string) => boolean = () => true) {
    for (const row of rows) {
      for (const generation of [1, 2] as const) {
        const deployments = row.deployments
          .filter((deployment) => deployment.generation === generation)
          .map((deployment) => withFitness(deployment, isFit));
        for (const category of row.categories) this.#routes.set(keyOf(category, generation), { ...row, deployments });
      }
    }
    this.deployments = rows.flatMap((row) => row.deployments);
    this.#byId = new Map(this.deployments.map((deployment) => [deployment.id, deployment]));
  }

  /** The category's owner, with its deployments of that generation. */
  route(category: CategoryKey, generation: FlyteGeneration): FlyteRouteRow | undefined {
    return this.#routes.get(keyOf(category, generation));
  }

  /** A deployment of that generation, whoever it belongs to and whatever that agent's categories are. */
  deployment(id: string, generation: FlyteGeneration): FlyteDeployment | undefined {
    const found = this.#byId.get(id);
    return found?.generation === generation ? found : undefined;
  }
}

const withFitness = (deployment: FlyteDeployment, isFit: (id: string) => boolean): FlyteDeployment => ({
  ...deployment,
  get healthy() {
    return deployment.healthy && isFit(deployment.id);
  },
});
