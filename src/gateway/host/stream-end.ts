import { type ExecutionResult, GraphQLError } from 'graphql';
import { EXPIRED, Expiry, tokenExpired } from '../../auth/expiry.ts';
import type { Principal } from '../../auth/principal.ts';

const OVER: IteratorResult<ExecutionResult> = { value: undefined, done: true };

/**
 * The same stream of results, which gives its place back when it ends, and ends with an error of its own when the
 * caller's token does.
 */
export function endingStream(
  source: AsyncIterable<ExecutionResult>,
  principal: Principal,
  release: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const inner = source[Symbol.asyncIterator]();
  const expiry = new Expiry(principal);
  let over = false;
  const end = (): void => {
    over = true;
    expiry.callOff();
    release();
  };
  const watched = async (step: Promise<IteratorResult<ExecutionResult>>): Promise<IteratorResult<ExecutionResult>> => {
    try {
      const result = await step;
      if (result.done === true) end();
      return result;
    } catch (thrown) {
      end();
      throw thrown;
    }
  };
  return {
    async next() {
      if (over) return OVER;
      const first = await expiry.outlived(watched(inner.next()));
      if (first !== EXPIRED) return first;
      end();
      void inner.return?.()?.catch(() => undefined);
      const error = tokenExpired();
      return { value: { errors: [new GraphQLError(error.message, { extensions: error.extensions })] }, done: false };
    },
    return() {
      end();
      return inner.return?.() ?? Promise.resolve(OVER);
    },
    throw(thrown: unknown) {
      end();
      return inner.throw?.(thrown) ?? Promise.reject(thrown);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
