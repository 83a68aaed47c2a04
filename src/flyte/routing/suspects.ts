const FIRST_HOLD_MS = 500;
const MAX_HOLD_MS = 10_000;

/** Deployments that calls lately could not reach. Suspicion ends by itself, later each time, and with the first success. */
export class Suspects {
  readonly #failures = new Map<string, { count: number; until: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  failed(id: string): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const until = this.#now() + Math.min(MAX_HOLD_MS, FIRST_HOLD_MS * 2 ** (count - 1));
    this.#failures.set(id, { count, until });
  }

  succeeded(id: string): void {
    this.#failures.delete(id);
  }

  has(id: string): boolean {
    return (this.#failures.get(id)?.until ?? 0) > this.#now();
  }

  /** Forgets all but these. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }
}
