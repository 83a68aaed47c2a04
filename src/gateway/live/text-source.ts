import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { request } from 'undici';
import { RollcallError } from '../../errors.ts';

const FETCH_TIMEOUT_MS = 10_000;
/** An editor or a deployment tool writes a file in several steps; the last of them counts. */
const SETTLE_MS = 50;

export const isUrl = (fileOrUrl: string): boolean => /^https?:\/\//.test(fileOrUrl);

/** A text that the operator named: a file, or what a URL answers. An unchanged URL is not transferred again (ETag). */
export class TextSource {
  readonly #setting: string;
  readonly #fileOrUrl: string;
  #known: { readonly etag: string; readonly text: string } | undefined;

  constructor(setting: string, fileOrUrl: string) {
    this.#setting = setting;
    this.#fileOrUrl = fileOrUrl;
  }

  /** @throws RollcallError INVALID_INPUT naming the setting, for a file or URL that cannot be read. */
  async read(): Promise<string> {
    try {
      return isUrl(this.#fileOrUrl) ? await this.#fetch() : await readFile(this.#fileOrUrl, 'utf8');
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new RollcallError('INVALID_INPUT', `${this.#setting}: ${this.#fileOrUrl} cannot be read: ${reason}`, {
        field: this.#setting,
        cause,
      });
    }
  }

  /**
   * Calls the listener soon after the file was written or replaced. A URL says nothing by itself: it is polled. The
   * result ends it.
   */
  watch(listener: () => void): () => void {
    if (isUrl(this.#fileOrUrl)) return () => undefined;
    const file = resolve(this.#fileOrUrl);
    let timer: NodeJS.Timeout | undefined;
    let watcher: FSWatcher | undefined;
    try {
      // The directory, not the file: a file that is replaced by renaming would be lost from sight.
      watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
        if (name !== null && name !== basename(file) && !name.startsWith('..')) return;
        clearTimeout(timer);
        timer = setTimeout(listener, SETTLE_MS);
      });
      watcher.on('error', () => watcher?.close());
    } catch {
      // Not every file system can be watched: polling finds the change then.
    }
    return () => {
      clearTimeout(timer);
      watcher?.close();
    };
  }

  async #fetch(): Promise<string> {
    const answer = await request(this.#fileOrUrl, {
      headers: this.#known === undefined ? {} : { 'if-none-match': this.#known.etag },
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 304 && this.#known !== undefined) return this.#known.text;
    if (answer.statusCode !== 200) throw new Error(`it answered ${answer.statusCode}`);
    const { etag } = answer.headers;
    this.#known = typeof etag === 'string' ? { etag, text } : undefined;
    return text;
  }
}
