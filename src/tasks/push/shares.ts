/**
 * The deliveries under way, by receiver. Each receiver has at most a share of them: one that hangs with all its webhooks
 * would otherwise hold up everybody else's for as long as attempts may take.
 */
export class Shares {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  /** @param most deliveries to one receiver at the same time */
  constructor(most: number) {
    this.#most = most;
  }

  /** False when the receiver has its share. */
  take(receiver: string): boolean {
    const taken = this.#taken.get(receiver) ?? 0;
    if (taken >= this.#most) return false;
    this.#taken.set(receiver, taken + 1);
    return true;
  }

  /** Gives a place back. True when the receiver had its share, so that more of its webhooks may wait. */
  release(receiver: string): boolean {
    const taken = this.#taken.get(receiver) ?? 0;
    if (taken > 1) this.#taken.set(receiver, taken - 1);
    else this.#taken.delete(receiver);
    return taken >= this.#most;
  }

  /** The receivers that have their share. */
  spent(): string[] {
    return [...this.#taken].filter(([, taken]) => taken >= this.#most).map(([receiver]) => receiver);
  }
}
