import type { FastifyInstance } from 'fastify';
import { RollcallError } from '../errors.ts';

/** One thing that must work for this server to be of use. */
export interface ReadinessCheck {
  readonly name: string;
  /** Rejects when it does not work. What it answers is told as a detail: something is amiss without being in the way. */
  check(): Promise<string | undefined>;
}

/** A check that hangs counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

/**
 * `/health/live`: the process answers. `/health/ready` (= `/health`): everything it needs works, and it is not shutting
 * down; 503 with the failing checks otherwise. Nobody is limited here, as an orchestrator that is refused would end a
 * server that works: instead, all who ask at the same time share one look.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  checks: readonly ReadinessCheck[],
  isDraining: () => boolean,
): void {
  let looking: Promise<readonly CheckResult[]> | undefined;
  const look = (): Promise<readonly CheckResult[]> => {
    looking ??= Promise.all(checks.map(async ({ name, check }) => ({ name, ...(await outcome(check)) }))).finally(
      () => {
        looking = undefined;
      },
    );
    return looking;
  };
  app.get('/health/live', async () => ({ status: 'ok' }));
  for (const path of ['/health/ready', '/health']) {
    app.get(path, async (_request, reply) => {
      const results = await look();
      const failed = isDraining() || results.some(({ result }) => result !== 'ok');
      reply.code(failed ? 503 : 200).header('cache-control', 'no-store');
      const details = results.flatMap(({ name, detail }) => (detail === undefined ? [] : [[name, detail]]));
      return {
        status: isDraining() ? 'draining' : failed ? 'failing' : 'ok',
        checks: Object.fromEntries(results.map(({ name, result }) => [name, result])),
        ...(details.length === 0 ? {} : { details: Object.fromEntries(details) as Record<string, string> }),
      };
    });
  }
}

interface Outcome {
  readonly result: 'ok' | 'failing' | 'timeout';
  readonly detail?: string | undefined;
}

interface CheckResult extends Outcome {
  readonly name: string;
}

async function outcome(check: () => Promise<string | undefined>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ result: 'timeout' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        (detail): Outcome => ({ result: 'ok', detail }),
        // Other errors may hold what is nobody's business.
        (error: unknown): Outcome => ({
          result: 'failing',
          detail: error instanceof RollcallError ? error.message : undefined,
        }),
      ),
      timeout,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
