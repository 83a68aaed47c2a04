import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { RollcallError } from '../../errors.ts';

/** The wanted fields of one message: the last value of each number field, all bytes values of each length-delimited one. */
export interface SparseFields {
  /** The last varint of that number; 0 when absent, as in proto3. */
  int32(field: number): number;
  /** The last bytes of that number; empty when absent. */
  bytes(field: number): Buffer;
  /** The last string of that number; empty when absent. */
  string(field: number): string;
  /** All the bytes of that number, in order. */
  every(field: number): readonly Buffer[];
  /** The message of that number, merged if it occurs several times; undefined when absent. */
  message(field: number): SparseFields | undefined;
  /** That message's bytes. */
  messageBytes(field: number): Buffer | undefined;
}

const EMPTY = Buffer.alloc(0);
/** Where a varint field's place in the list of found ones holds no end. */
const IS_NUMBER = -1;

const invalid = (cause?: unknown): RollcallError =>
  new RollcallError('INVALID_INPUT', 'The request is not a valid protobuf message.', { cause });

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * One level of a message. By hand and not by the library's reader: each call that is routed is read several times, and the
 * reader makes more objects than there are fields.
 */
class Fields implements SparseFields {
  readonly #bytes: Buffer;
  /** Of each field: its number, then its begin and end, or its value and {@link IS_NUMBER}. */
  readonly #found: number[] = [];
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    while (this.#at < bytes.length) this.#next();
    if (this.#at > bytes.length) throw invalid();
  }

  #next(): void {
    const tag = this.#varint();
    const field = tag >>> 3;
    if (field === 0) throw invalid();
    switch (tag & 7) {
      case WireType.Varint:
        this.#found.push(field, this.#varint(), IS_NUMBER);
        break;
      case WireType.LengthDelimited: {
        const length = this.#varint() >>> 0;
        this.#found.push(field, this.#at, this.#at + length);
        this.#at += length;
        break;
      }
      case WireType.Bit64:
        this.#at += 8;
        break;
      case WireType.Bit32:
        this.#at += 4;
        break;
      default:
        this.#skip(tag & 7, field);
    }
  }

  /** The low 32 bits, as an int32. */
  #varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw invalid();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw invalid();
  }

  /** What no message of ours has: groups, and what is not protobuf at all. */
  #skip(wireType: WireType, field: number): void {
    try {
      const reader = new BinaryReader(this.#bytes);
      reader.pos = this.#at;
      reader.skip(wireType, field);
      this.#at = reader.pos;
    } catch (cause) {
      throw invalid(cause);
    }
  }

  /** Where the last one of that number and kind is in {@link #found}; -1 when there is none. */
  #last(field: number, isNumber: boolean): number {
    const found = this.#found;
    for (let i = found.length - 3; i >= 0; i -= 3) {
      if (found[i] === field && (found[i + 2] === IS_NUMBER) === isNumber) return i;
    }
    return -1;
  }

  int32(field: number): number {
    const at = this.#last(field, true);
    return at < 0 ? 0 : this.#found[at + 1]!;
  }

  bytes(field: number): Buffer {
    const at = this.#last(field, false);
    return at < 0 ? EMPTY : this.#bytes.subarray(this.#found[at + 1], this.#found[at + 2]);
  }

  string(field: number): string {
    const at = this.#last(field, false);
    return at < 0 ? '' : this.#bytes.toString('utf8', this.#found[at + 1], this.#found[at + 2]);
  }

  every(field: number): readonly Buffer[] {
    const found = this.#found;
    const all: Buffer[] = [];
    for (let i = 0; i < found.length; i += 3) {
      if (found[i] === field && found[i + 2] !== IS_NUMBER) all.push(this.#bytes.subarray(found[i + 1], found[i + 2]));
    }
    return all;
  }

  message(field: number): SparseFields | undefined {
    const bytes = this.messageBytes(field);
    return bytes === undefined ? undefined : new Fields(bytes);
  }

  // Occurrences of a message field merge, and the bytes of several messages in a row are their merge.
  messageBytes(field: number): Buffer | undefined {
    const all = this.every(field);
    return all.length < 2 ? all[0] : Buffer.concat(all);
  }
}

/**
 * Reads one level of a message and steps over everything else, without copies.
 * @throws RollcallError INVALID_INPUT when the bytes are no protobuf message
 */
export const sparse = (message: Uint8Array): SparseFields => new Fields(bufferOf(message));

/**
 * The message with a bytes or string field appended, which so takes this value: the last one wins. Nothing else
 * changes, unknown fields included.
 */
export function withField(message: Uint8Array, field: number, value: Uint8Array): Buffer {
  const head = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(value.length).finish();
  return Buffer.concat([message, head, value]);
}

/**
 * The message with a message field replaced. To append it would do for decoders that merge; protobuf.js, for one, takes
 * the last occurrence alone.
 */
export function withMessageField(message: Uint8Array, field: number, value: Uint8Array): Buffer {
  const reader = new BinaryReader(message);
  const kept: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const begin = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    if (number !== field) kept.push(message.subarray(begin, reader.pos));
  }
  return withField(Buffer.concat(kept), field, value);
}
