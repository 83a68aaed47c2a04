interface Entry<V> {
  readonly value: V;
  readonly weight: number;
}

/** A map that forgets what was not used for longest, so that clients inventing operations cannot fill the memory. */
export class LruMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #capacity: number;
  readonly #mostWeight: number;
  #weight = 0;

  /** @param mostWeight of all entries together, where they are given weights */
  constructor(capacity: number, mostWeight: number = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
    this.#mostWeight = mostWeight;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V, weight = 0): void {
    this.delete(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#weight <= this.#mostWeight) return;
      this.delete(oldest);
    }
  }

  /** The keys used last, the latest first. */
  latestKeys(most: number): K[] {
    return [...this.#entries.keys()].slice(-most).reverse();
  }

  delete(key: K): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
