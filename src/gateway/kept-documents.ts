import type { DocumentNode } from 'graphql';
import { weightOf } from './document-weight.ts';
import { LruMap } from './lru.ts';

const MOST_DOCUMENTS = 1_000;
/** Bytes, about (see {@link weightOf}): a thousand documents of the largest size would fill the memory. */
const MOST_WEIGHT = 64 * 1024 * 1024;
/** What is heavier is made anew each time, as it would push everyone else's documents out. */
const HEAVIEST = 8 * 1024 * 1024;

/** Documents, or what is made of them, by text. What was not used for longest is forgotten. */
export class KeptDocuments<V> {
  readonly #kept: LruMap<string, V>;

  constructor(capacity = MOST_DOCUMENTS) {
    this.#kept = new LruMap(capacity, MOST_WEIGHT);
  }

  get(text: string): V | undefined {
    return this.#kept.get(text);
  }

  set(text: string, value: V, document: DocumentNode): void {
    const weight = weightOf(document);
    if (weight <= HEAVIEST) this.#kept.set(text, value, weight);
  }

  delete(text: string): void {
    this.#kept.delete(text);
  }

  /** The texts used last, the latest first. */
  latest(most: number): string[] {
    return this.#kept.latestKeys(most);
  }
}
