import { createHash } from 'node:crypto';
import type { Source, WireObject } from './codec.ts';

/**
 * An id for a message that an agent sent without one. The same message gets the same id, so that reading an answer
 * twice does not make two messages of one.
 */
export function messageIdOf(wire: WireObject, source: Source): string {
  if (source.strict) return source.newId();
  return `msg-${createHash('sha256').update(JSON.stringify(wire)).digest('hex').slice(0, 32)}`;
}
