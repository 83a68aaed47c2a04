import { createHash } from 'node:crypto';
import { LruMap } from '../lru.ts';

/** How many operations are remembered, over all supergraphs. */
const CAPACITY = 1_000;
/** Then one is tried again: the planner may have ended for another reason than the operation it was at. */
const REMEMBERED_MS = 10 * 60_000;

const until = new LruMap<string, number>(CAPACITY);

/**
 * Operations that ended the planner's process, by supergraph and text: asked again, also of a planner that was started
 * anew for the same supergraph, they are refused without ending another process.
 */
export class DeadlyOperations {
  readonly #supergraph: string;

  constructor(supergraphSdl: string) {
    this.#supergraph = createHash('sha256').update(supergraphSdl).digest('base64');
  }

  #key(query: string, operationName: string | undefined): string {
    return createHash('sha256')
      .update(`${this.#supergraph}\n${operationName ?? ''}\n${query}`)
      .digest('base64');
  }

  add(query: string, operationName: string | undefined): void {
    until.set(this.#key(query, operationName), performance.now() + REMEMBERED_MS);
  }

  has(query: string, operationName: string | undefined): boolean {
    // Until one is met, as good as always, nothing has to be hashed.
    if (until.size === 0) return false;
    const end = until.get(this.#key(query, operationName));
    return end !== undefined && performance.now() < end;
  }
}
