import { type DocumentNode, print } from 'graphql';
import type { OperationText } from './engine.ts';
import { KeptDocuments } from './kept-documents.ts';

/**
 * Something compiled per operation: found by document object at once, by document text when a host parsed the same
 * text again. The objects are held weakly and the texts are bounded, so the cache is no larger than the host's own
 * documents plus what {@link KeptDocuments} takes. Hosts must bound theirs by what is compiled of them, too.
 */
export class DocumentCache<V extends object> {
  readonly #byObject = new WeakMap<DocumentNode, Map<string, V>>();
  readonly #byText: KeptDocuments<V>;

  constructor(capacity: number) {
    this.#byText = new KeptDocuments(capacity);
  }

  get(document: DocumentNode, operationName: string | undefined, create: () => V): V {
    const name = operationName ?? '';
    let named = this.#byObject.get(document);
    const known = named?.get(name);
    if (known !== undefined) return known;
    const key = `${name}\n${document.loc?.source.body ?? print(document)}`;
    let value = this.#byText.get(key);
    if (value === undefined) {
      value = create();
      this.#byText.set(key, value, document);
    }
    if (named === undefined) {
      named = new Map();
      this.#byObject.set(document, named);
    }
    named.set(name, value);
    return value;
  }

  /** What was asked by a text of its own lately, the latest first. */
  recent(most: number): OperationText[] {
    return this.#byText.latest(most).map((key) => ({
      operationName: key.slice(0, key.indexOf('\n')) || undefined,
      text: key.slice(key.indexOf('\n') + 1),
    }));
  }

  /** Forgets a failed entry, so that the next request tries again. */
  delete(document: DocumentNode, operationName: string | undefined): void {
    const name = operationName ?? '';
    this.#byObject.get(document)?.delete(name);
    this.#byText.delete(`${name}\n${document.loc?.source.body ?? print(document)}`);
  }
}
