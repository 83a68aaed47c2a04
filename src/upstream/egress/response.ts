import { RollcallError } from '../../errors.ts';
import type { HeaderMap } from './headers.ts';

const UTF8 = new TextDecoder();

/** A whole answer, read into memory within its limits. */
export class EgressResponse {
  readonly status: number;
  readonly headers: HeaderMap;
  /** The URL that answered, after redirects. It may hold secrets in its query: not for messages. */
  readonly url: string;
  readonly #body: Buffer;
  readonly #origin: string;

  constructor(status: number, headers: HeaderMap, url: string, origin: string, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.url = url;
    this.#origin = origin;
    this.#body = body;
  }

  /** True for a status from 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The body as received, byte for byte. */
  bytes(): Buffer {
    return this.#body;
  }

  /** The body as UTF-8, without a byte order mark. */
  text(): string {
    return UTF8.decode(this.#body);
  }

  /** @throws RollcallError UPSTREAM_INVALID when the body is not JSON. */
  json(): unknown {
    try {
      return JSON.parse(this.text()) as unknown;
    } catch (cause) {
      throw new RollcallError(
        'UPSTREAM_INVALID',
        `${this.#origin} answered ${this.status} with a body that is not JSON.`,
        {
          cause,
        },
      );
    }
  }
}

/** An answer whose body is read as it arrives. Read it to the end, leave the loop, or call `cancel`. */
export interface EgressStream {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly url: string;
  /** Can be read once. Fails with UPSTREAM_TIMEOUT after the idle time, and with UPSTREAM_UNREACHABLE if cut off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The rest of the body in one piece, for an error document. @throws RollcallError PAYLOAD_TOO_LARGE. */
  bytes(maxBytes?: number): Promise<Buffer>;
  /** Ends the connection; whoever is reading the body sees it end. */
  cancel(): void;
}

/** Adds up chunks as they come and stops at the cap, so that no more than that is ever held. */
export async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number, origin: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(origin, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

export const tooLarge = (origin: string, maxBytes: number): RollcallError =>
  new RollcallError('PAYLOAD_TOO_LARGE', `${origin} answered with more than ${maxBytes} bytes.`);
