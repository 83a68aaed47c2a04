import { RollcallError } from '../../errors.ts';
import { readResponse } from './response.ts';

export const tooSlow = (capacity: number): RollcallError =>
  new RollcallError('RATE_LIMITED', `The reader is more than ${capacity} events behind: the stream was ended.`);

/** What ended a stream, as an error of ours, or the subgraph's own where it refused the operation. */
export function streamFailure(thrown: unknown, subgraph: string): unknown {
  if (Array.isArray(thrown)) {
    const [first] = readResponse({ errors: thrown }, subgraph).errors ?? [];
    if (first !== undefined) return first;
  }
  return new RollcallError('UPSTREAM_UNREACHABLE', `The stream from subgraph "${subgraph}" was lost.`, {
    cause: thrown,
  });
}
