import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes of one id. */
const BYTES = 16;
/** Random bytes are asked for in blocks: asking the system for each id costs more than everything else about it. */
const block = new Uint8Array(BYTES * 256);
let used = block.length;
let msecs = Number.NEGATIVE_INFINITY;
let seq = 0;

function random(): Uint8Array {
  if (used === block.length) {
    randomFillSync(block);
    used = 0;
  }
  used += BYTES;
  return block.subarray(used - BYTES, used);
}

/** A new UUID version 7: ids sort by the time they were made, those of one process strictly (RFC 9562 §6.2, method 1). */
export function newId(): string {
  const bytes = random();
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    // Half of the counter's range is left to count in.
    seq = (bytes[0]! & 0x3f) * 0x1000000 + (bytes[1]! << 16) + (bytes[2]! << 8) + bytes[3]!;
  } else {
    seq++;
  }
  return v7({ random: bytes, msecs, seq });
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the text form of any UUID. Asked before a value meets a uuid column, which would fail the statement. */
export const isUuid = (value: string): boolean => UUID.test(value);
