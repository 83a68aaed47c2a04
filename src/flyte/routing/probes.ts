import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import {
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../protocol/flyte/generated/grpc/health/v1/health.ts';
import type { FlyteLog } from '../source.ts';
import { codeOf } from './calls.ts';
import type { Connections } from './connections.ts';
import type { FlyteDeployment } from './deployments.ts';
import type { Suspects } from './suspects.ts';

/** Milliseconds. */
export interface ProbeTimings {
  /** Between two probes of a deployment that is well; up to a fifth more, so that they do not come together. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** After the first probe that went wrong; doubled after each further one. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

export const PROBE_TIMINGS: ProbeTimings = {
  intervalMs: 10_000,
  timeoutMs: 3_000,
  retryMs: 1_000,
  maxRetryMs: 30_000,
};

/** What a probe found: it serves; it says itself that it does not; nobody answers there. */
export type Fitness = 'serving' | 'not_serving' | 'unreachable';

/** Nobody answered, or not in time; any other failure is an answer of a server that has no health service for everyone. */
const SILENCE: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED]);

interface Probed {
  readonly deployment: FlyteDeployment;
  readonly stopped: AbortController;
  fitness: Fitness | undefined;
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Asks deployments from time to time how they are, by grpc.health.v1, or by their connection where they do not have it.
 * One that says it does not serve gets no new tasks. One that cannot be reached is suspected as after a call that could
 * not: it is passed over while there are others, and still tried when there is none.
 */
export class Probes {
  readonly #connections: Connections;
  readonly #suspects: Suspects;
  readonly #timings: ProbeTimings;
  readonly #log: FlyteLog;
  readonly #probed = new Map<string, Probed>();

  constructor(connections: Connections, suspects: Suspects, timings: ProbeTimings, log: FlyteLog) {
    this.#connections = connections;
    this.#suspects = suspects;
    this.#timings = timings;
    this.#log = log;
  }

  /** Probes these from now on, and no others. Those that drain are left alone: they get no new tasks anyhow. */
  follow(deployments: readonly FlyteDeployment[]): void {
    const wanted = new Map(deployments.filter(({ draining }) => !draining).map((each) => [each.id, each]));
    for (const [id, probed] of this.#probed) if (!isSame(probed.deployment, wanted.get(id))) this.#forget(id, probed);
    for (const [id, deployment] of wanted) {
      if (this.#probed.has(id)) continue;
      const stopped = new AbortController();
      const probed: Probed = { deployment, stopped, fitness: undefined, failures: 0, timer: undefined };
      this.#probed.set(id, probed);
      void this.#probe(probed);
    }
  }

  stop(): void {
    for (const [id, probed] of this.#probed) this.#forget(id, probed);
  }

  /** False when the deployment said that it does not serve. */
  isFit(id: string): boolean {
    return this.#probed.get(id)?.fitness !== 'not_serving';
  }

  #forget(id: string, probed: Probed): void {
    this.#probed.delete(id);
    clearTimeout(probed.timer);
    probed.stopped.abort();
  }

  async #probe(probed: Probed): Promise<void> {
    const { deployment, stopped } = probed;
    const found = await this.#ask(deployment, stopped.signal);
    if (stopped.signal.aborted) return;
    if (found !== undefined) this.#found(probed, found);
    const { intervalMs, retryMs, maxRetryMs } = this.#timings;
    const pause = probed.failures === 0 ? intervalMs : Math.min(maxRetryMs, retryMs * 2 ** (probed.failures - 1));
    probed.timer = setTimeout(() => void this.#probe(probed), pause * (1 + Math.random() / 5));
    probed.timer.unref();
  }

  #found(probed: Probed, found: Fitness): void {
    const { id, address } = probed.deployment;
    probed.failures = found === 'serving' ? 0 : probed.failures + 1;
    if (found === 'serving') this.#suspects.succeeded(id);
    if (found === 'unreachable') this.#suspects.failed(id);
    const before = probed.fitness ?? 'serving';
    probed.fitness = found;
    if (before === found) return;
    const fields = { deployment: id, address, health: found };
    if (found === 'serving') this.#log.info(fields, 'Flyte deployment serves again');
    else this.#log.warn(fields, 'Flyte deployment is not well');
  }

  /** Undefined when it could not be asked for reasons of our own. */
  async #ask(deployment: FlyteDeployment, signal: AbortSignal): Promise<Fitness | undefined> {
    const deadline = Date.now() + this.#timings.timeoutMs;
    try {
      const { client, release } = await this.#connections.use(deployment, deadline, signal);
      try {
        return (await check(client, deadline, signal)) === Serving.SERVING ? 'serving' : 'not_serving';
      } finally {
        release();
      }
    } catch (error) {
      if (error instanceof RollcallError) return error.code === 'RATE_LIMITED' ? undefined : 'unreachable';
      return SILENCE.has(codeOf(error)) ? 'unreachable' : 'serving';
    }
  }
}

const isSame = (one: FlyteDeployment, other: FlyteDeployment | undefined): boolean =>
  one.address === other?.address && one.tls === other.tls;

/** What the server as a whole says of itself. Rejects with grpc's ServiceError. */
function check(client: Client, deadline: number, signal: AbortSignal): Promise<number> {
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  return new Promise((resolve, reject) => {
    const answered = (error: ServiceError | null, response?: { readonly status: number }): void => {
      signal.removeEventListener('abort', cancel);
      if (error !== null || response === undefined) reject(error);
      else resolve(response.status);
    };
    const request = { service: '' };
    const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, answered);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}
