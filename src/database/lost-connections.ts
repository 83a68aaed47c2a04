import type { Pool, PoolClient } from 'pg';

const isRollback = (statement: unknown): boolean => typeof statement === 'string' && /^rollback$/i.test(statement);

/**
 * Lets the end of a transaction whose connection is gone give its place in the pool back. Kysely releases a connection
 * only after its ROLLBACK succeeded; on a dead connection it fails, the place is lost, and after as many failures as the
 * pool has places every call waits for ever. The server has rolled back by itself; the pool drops such a client.
 */
export function releaseLostConnections(pool: Pool): void {
  const known = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    let lost = false;
    client.on('error', () => {
      lost = true;
    });
    client.on('end', () => {
      lost = true;
    });
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const answer = query(...args);
      if (!isRollback(args[0]) || !(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => {
        if (lost) return { command: 'ROLLBACK', rowCount: 0, rows: [] };
        throw error;
      });
    }) as typeof client.query;
  });
}
