/** The artifactId of an artifact that an early-era agent numbered. */
export const artifactIdOf = (index: number): string => `idx-${index}`;

/**
 * Numbers for artifacts, for the early era, where an artifact's index is its key. `idx-n` keeps its n; any other id gets
 * the next free number in the order of appearance. Keep one per stream, and start it with the ids that the task already
 * has, so that a chunk finds the artifact it continues.
 */
export class ArtifactIndexes {
  readonly #byId = new Map<string, number>();
  readonly #taken = new Set<number>();

  constructor(artifactIds: Iterable<string> = []) {
    for (const artifactId of artifactIds) this.of(artifactId);
  }

  of(artifactId: string): number {
    const known = this.#byId.get(artifactId);
    if (known !== undefined) return known;
    const own = /^idx-(\d{1,9})$/.exec(artifactId)?.[1];
    let index = own === undefined ? this.#byId.size : Number(own);
    while (this.#taken.has(index)) index++;
    this.#byId.set(artifactId, index);
    this.#taken.add(index);
    return index;
  }
}
