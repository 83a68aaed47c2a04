import { CARD_LIMITS } from './limits.ts';
import type { CardProblems } from './problems.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'a list' : isObject(value) ? 'an object' : typeof value;

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** One step of a JSONPath: `.name`, or `["na me"]` where a dot would not do (RFC 9535). */
export const pathStep = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;

/** Whether text can be stored: PostgreSQL takes neither U+0000 nor half of a surrogate pair. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/**
 * A place in a card with its JSONPath. Every reading is total: what is of the wrong type or too long is reported at its
 * exact path, and reads as absent. Null and empty text are absent too, as ProtoJSON has it.
 */
export class CardNode {
  readonly path: string;
  readonly #value: unknown;
  readonly #problems: CardProblems;

  constructor(problems: CardProblems, value: unknown, path = '$') {
    this.#problems = problems;
    this.#value = value ?? undefined;
    this.path = path;
  }

  get present(): boolean {
    return this.#value !== undefined;
  }

  get isObject(): boolean {
    return isObject(this.#value);
  }

  get isText(): boolean {
    return typeof this.#value === 'string' && this.#value.trim() !== '';
  }

  error(message: string): void {
    this.#problems.error(this.path, message);
  }

  warning(message: string): void {
    this.#problems.warning(this.path, message);
  }

  /** A member by its camelCase name, or by the snake_case name that ProtoJSON allows too; absent where this is no object. */
  member(name: string): CardNode {
    const object = isObject(this.#value) ? this.#value : {};
    const written = [name, snakeCase(name)].find((key) => Object.hasOwn(object, key) && object[key] !== null) ?? name;
    return this.#at(Object.hasOwn(object, written) ? object[written] : undefined, pathStep(written));
  }

  has(name: string): boolean {
    return this.member(name).present;
  }

  /** Reports what is present and not an object; true for an object. */
  expectObject(): boolean {
    if (this.present && !this.isObject) this.error(`must be an object; this is ${kindOf(this.#value)}.`);
    return this.isObject;
  }

  /** The items of a list; none where it is absent. */
  items(limit: number): CardNode[] {
    if (!this.present) return [];
    if (!Array.isArray(this.#value)) {
      this.error(`must be a list; this is ${kindOf(this.#value)}.`);
      return [];
    }
    if (this.#value.length > limit) this.error(`holds ${this.#value.length} entries; at most ${limit} are taken.`);
    return this.#value.slice(0, limit).map((item: unknown, index) => this.#at(item, `[${index}]`));
  }

  /** The members of a map, in the order written; none where it is absent. */
  entries(limit: number): [string, CardNode][] {
    if (!this.expectObject()) return [];
    const keys = Object.keys(this.#value as JsonObject);
    if (keys.length > limit) this.error(`holds ${keys.length} entries; at most ${limit} are taken.`);
    const taken = keys.slice(0, limit).map((key): [string, CardNode] => {
      return [key, this.#at((this.#value as JsonObject)[key], pathStep(key))];
    });
    return taken.filter(([key, node]) => {
      const usable = key.length <= CARD_LIMITS.name && isStorable(key);
      if (!usable)
        node.error(`has a name that is longer than ${CARD_LIMITS.name} or holds characters that are no text.`);
      return usable;
    });
  }

  /** Text of at most `limit` UTF-16 code units; undefined where it is absent or blank. */
  text(limit: number): string | undefined {
    if (!this.present) return undefined;
    if (typeof this.#value !== 'string') {
      this.error(`must be text; this is ${kindOf(this.#value)}.`);
      return undefined;
    }
    if (this.#value.length > limit) {
      this.error(`is ${this.#value.length} characters long; at most ${limit} are taken.`);
      return undefined;
    }
    if (!isStorable(this.#value)) {
      this.error('holds characters that are no text (U+0000, or half of a surrogate pair).');
      return undefined;
    }
    return this.#value.trim() === '' ? undefined : this.#value;
  }

  /** As {@link text}, with an error where it is absent; then it reads as ''. */
  required(limit: number, why: string): string {
    if (!this.present || (typeof this.#value === 'string' && !this.isText)) this.error(why);
    return this.text(limit) ?? '';
  }

  /** The texts of a list, without blank ones. */
  texts(limit: number, length: number): string[] {
    return this.items(limit).flatMap((item) => {
      if (!item.present) item.error('must be text; this is null.');
      return item.text(length) ?? [];
    });
  }

  /** An http(s) URL; anything else is reported as a warning and left out, because a page may show it as a link. */
  link(): string | undefined {
    const url = this.text(CARD_LIMITS.url);
    if (url === undefined) return undefined;
    if (isWebUrl(url)) return url;
    this.warning('is not an http or https URL, so it is left out.');
    return undefined;
  }

  flag(): boolean {
    if (this.present && typeof this.#value !== 'boolean')
      this.error(`must be true or false; this is ${kindOf(this.#value)}.`);
    return this.#value === true;
  }

  /** An object that is kept as it is. */
  opaque(): JsonObject | undefined {
    if (!this.expectObject()) return undefined;
    const json = JSON.stringify(this.#value);
    if (json.length > CARD_LIMITS.opaque) {
      this.error(`takes ${json.length} characters; at most ${CARD_LIMITS.opaque} are taken.`);
      return undefined;
    }
    // Text that cannot be stored always shows as one of these escapes; a doubled backslash before it is plain text.
    if (/(?<!\\)(\\\\)*\\u(0000|d[89a-f]..)/i.test(json)) {
      this.error('holds characters that are no text (U+0000, or half of a surrogate pair).');
      return undefined;
    }
    return this.#value as JsonObject;
  }

  #at(value: unknown, step: string): CardNode {
    return new CardNode(this.#problems, value, this.path + step);
  }
}

/** An absolute http(s) URL without user name and password (cards are public). */
export function isWebUrl(url: string): boolean {
  if (/\s/.test(url) || !URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
