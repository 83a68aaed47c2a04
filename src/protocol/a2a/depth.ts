import { invalid } from '../../errors.ts';
import { isDeeperThan } from '../../json-depth.ts';

/** How deep JSON may nest, as in the protobuf parsers of other languages. Deeper values overflow stacks further on. */
export const MAX_DEPTH = 100;

/** Refuses a value that nests deeper than {@link MAX_DEPTH}. @throws RollcallError INVALID_INPUT */
export function checkDepth(value: unknown, path: string): void {
  if (isDeeperThan(value, MAX_DEPTH))
    throw invalid(path === '' ? 'params' : path, `nests deeper than ${MAX_DEPTH} levels.`);
}
