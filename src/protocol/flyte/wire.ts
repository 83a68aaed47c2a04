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
  /** The message of that number, merged if it occurs several times; undefined when absent. */
  message(field: number): SparseFields | undefined;
  /** That message's bytes. */
  messageBytes(field: number): Buffer | undefined;
}

const EMPTY = Buffer.alloc(0);

/**
 * Reads one level of a message and steps over everything else, without copies.
 * @throws RollcallError INVALID_INPUT when the bytes are no protobuf message
 */
export function sparse(message: Uint8Array): SparseFields {
  const numbers = new Map<number, number>();
  const chunks = new Map<number, Buffer[]>();
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (wireType === WireType.Varint) {
        numbers.set(field, reader.int32());
      } else if (wireType === WireType.LengthDelimited) {
        const bytes = reader.bytes();
        const found = chunks.get(field) ?? [];
        found.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        chunks.set(field, found);
      } else {
        reader.skip(wireType, field);
      }
    }
  } catch (cause) {
    throw new RollcallError('INVALID_INPUT', 'The request is not a valid protobuf message.', { cause });
  }
  const bytes = (field: number): Buffer => chunks.get(field)?.at(-1) ?? EMPTY;
  // Occurrences of a message field merge, and the bytes of several messages in a row are their merge.
  const messageBytes = (field: number): Buffer | undefined => {
    const found = chunks.get(field);
    return found === undefined || found.length === 1 ? found?.[0] : Buffer.concat(found);
  };
  return {
    int32: (field) => numbers.get(field) ?? 0,
    bytes,
    string: (field) => bytes(field).toString('utf8'),
    message: (field) => {
      const found = messageBytes(field);
      return found === undefined ? undefined : sparse(found);
    },
    messageBytes,
  };
}

/**
 * The message with a bytes or string field appended, which so takes this value: the last one wins. Nothing else
 * changes, unknown fields included.
 */
export function withField(message: Uint8Array, field: number, value: Uint8Array): Buffer {
  const appended = new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(value).finish();
  return Buffer.concat([message, appended]);
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
