import { RollcallError } from '../errors.ts';

/** Server-sent events (WHATWG HTML §9.2), as A2A streams and GraphQL over SSE use them. */

export interface SseEvent {
  /** The last id seen so far, as a client would send it in Last-Event-ID. */
  readonly id?: string;
  /** The event's type; absent for the usual `message`. */
  readonly event?: string;
  readonly data: string;
}

const oneLine = (name: string, value: string): string => {
  if (/[\r\n\0]/.test(value)) throw new RangeError(`An SSE ${name} cannot hold line breaks or NUL.`);
  return `${name}: ${value}\n`;
};

/** One event as text. Line breaks in `data` become several data lines. */
export function encodeEvent({ id, event, data }: SseEvent): string {
  const head = (id === undefined ? '' : oneLine('id', id)) + (event === undefined ? '' : oneLine('event', event));
  // JSON holds no raw line breaks: the common case needs no split.
  if (!/[\r\n]/.test(data)) return `${head}data: ${data}\n\n`;
  return `${head}${data
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

/** A comment: keeps proxies from closing a quiet connection, and is ignored by clients. */
export const encodeComment = (text = ''): string => `:${text.replace(/[\r\n]+/g, ' ')}\n\n`;

export interface SseLimits {
  /** The longest line, in UTF-16 units. */
  readonly maxLine?: number;
  /** The longest data of one event, in UTF-16 units. */
  readonly maxEvent?: number;
}

/** The size that a request body may have, by default. */
export const DEFAULT_SSE_LIMITS = { maxLine: 16 * 1024 * 1024, maxEvent: 16 * 1024 * 1024 } as const;

const tooLong = (what: string, limit: number): RollcallError =>
  new RollcallError('UPSTREAM_INVALID', `The event stream has ${what} longer than ${limit} characters.`);

/** The fields of the event that is being read. */
class EventBuilder {
  #data: string[] = [];
  #size = 0;
  #event = '';
  #id: string | undefined;
  readonly #maxEvent: number;

  constructor(maxEvent: number) {
    this.#maxEvent = maxEvent;
  }

  /** Takes one line without its break; an empty line ends the event and returns it, if it has data. */
  line(line: string): SseEvent | undefined {
    if (line === '') return this.#finish();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      this.#size += value.length + 1;
      if (this.#size - 1 > this.#maxEvent) throw tooLong('an event', this.#maxEvent);
      this.#data.push(value);
    } else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    return undefined;
  }

  #finish(): SseEvent | undefined {
    const data = this.#data;
    const event = this.#event;
    this.#data = [];
    this.#size = 0;
    this.#event = '';
    if (data.length === 0) return undefined;
    return {
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(event === '' ? {} : { event }),
      data: data.join('\n'),
    };
  }
}

/**
 * The events of a byte stream as they become complete. An event without its closing empty line is dropped, as the
 * standard says: the connection broke inside it.
 * @throws RollcallError UPSTREAM_INVALID when a line or an event exceeds its limit; whatever `chunks` throws
 */
export async function* decodeEvents(
  chunks: AsyncIterable<Uint8Array>,
  { maxLine = DEFAULT_SSE_LIMITS.maxLine, maxEvent = DEFAULT_SSE_LIMITS.maxEvent }: SseLimits = {},
): AsyncGenerator<SseEvent, void, undefined> {
  // Without `ignoreBOM` the decoder drops one leading BOM, as the standard says.
  const decoder = new TextDecoder('utf-8');
  const builder = new EventBuilder(maxEvent);
  // Pieces of an unfinished line are joined once it ends: adding them up one by one and searching again would cost n².
  let pieces: string[] = [];
  let pending = 0;
  let afterCarriageReturn = false;

  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let at = nextBreak(text, 0); at !== -1; at = nextBreak(text, start)) {
      const isLineFeed = text[at] === '\n';
      if (isLineFeed && at === 0 && afterCarriageReturn) {
        start = 1;
        afterCarriageReturn = false;
        continue;
      }
      if (pending + at - start > maxLine) throw tooLong('a line', maxLine);
      const line = pieces.length === 0 ? text.slice(start, at) : pieces.join('') + text.slice(start, at);
      pieces = [];
      pending = 0;
      start = at + (!isLineFeed && text[at + 1] === '\n' ? 2 : 1);
      afterCarriageReturn = !isLineFeed && start === text.length && text[at + 1] !== '\n';
      const event = builder.line(line);
      if (event !== undefined) yield event;
    }
    if (start < text.length) {
      afterCarriageReturn = false;
      pieces.push(start === 0 ? text : text.slice(start));
      pending += text.length - start;
      if (pending > maxLine) throw tooLong('a line', maxLine);
    }
  }
}

function nextBreak(text: string, from: number): number {
  // A fresh search for each of two characters would read the rest of the chunk once per line.
  const breaks = /[\r\n]/g;
  breaks.lastIndex = from;
  return breaks.exec(text)?.index ?? -1;
}
