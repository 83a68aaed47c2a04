import { invalid } from '../../errors.ts';

/** How deep JSON may nest, as in the protobuf parsers of other languages. Deeper values overflow stacks further on. */
export const MAX_DEPTH = 100;

/**
 * Refuses a value that nests deeper than {@link MAX_DEPTH}: iteratively, as the check itself must not overflow.
 * @throws RollcallError INVALID_INPUT
 */
export function checkDepth(value: unknown, path: string): void {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw invalid(path === '' ? 'params' : path, `nests deeper than ${MAX_DEPTH} levels.`);
    const next: object[] = [];
    for (const container of level) {
      for (const inner of Object.values(container)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    }
    level = next;
  }
}
