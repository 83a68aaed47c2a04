import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';

/** One thing that must work for this server to be of use. */
export interface ReadinessCheck {
  readonly name: string;
  /** Rejects when it does not work. */
  check(): Promise<void>;
}

/** A check that hangs counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

/**
 * `/health/live`: the process answers. `/health/ready` (= `/health`): everything it needs works, and it is not shutting
 * down; 503 with the failing checks otherwise. `/metrics`: Prometheus text.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  checks: readonly ReadinessCheck[],
  metrics: Metrics,
  isDraining: () => boolean,
): void {
  app.get('/health/live', async () => ({ status: 'ok' }));
  for (const path of ['/health/ready', '/health']) {
    app.get(path, async (_request, reply) => {
      const results = await Promise.all(checks.map(async ({ name, check }) => [name, await outcome(check)] as const));
      const failed = isDraining() || results.some(([, result]) => result !== 'ok');
      reply.code(failed ? 503 : 200).header('cache-control', 'no-store');
      return { status: isDraining() ? 'draining' : failed ? 'failing' : 'ok', checks: Object.fromEntries(results) };
    });
  }
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}

async function outcome(check: () => Promise<void>): Promise<'ok' | 'failing' | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        () => 'ok' as const,
        () => 'failing' as const,
      ),
      timeout,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
