import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { keptAnswer, keptAnswers } from '../../src/grpc/kept-answers.ts';
import { type Bytes, clientOf, PATH, same, startServer, type Unary } from './one-method.ts';

/** A call to a server of one method, and what it had to serialise. */
async function served(handle: Unary) {
  const serialised: Bytes[] = [];
  const { port } = await startServer(handle, { interceptors: [keptAnswers] }, (bytes) => {
    serialised.push(bytes);
    return bytes;
  });
  const client = await clientOf(port);
  const ask = (request: string): Promise<Bytes> =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(PATH, same, same, Buffer.from(request), (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      ),
    );
  return { ask, serialised };
}

describe('kept answers', () => {
  test.each([0, 5, 100_000])('of %i bytes arrive whole, each time, and are not framed again', async (length) => {
    const message = Buffer.alloc(length, 'kept');
    const kept = keptAnswer(message);
    expect(kept.equals(message)).toBe(true);
    const { ask, serialised } = await served((_call, callback) => callback(null, kept));
    const answers = await Promise.all(['a', 'b', 'c'].map(ask));
    for (const answer of answers) expect(answer.equals(message)).toBe(true);
    // Where this fails, grpc-js frames elsewhere than in the method that is replaced.
    expect(serialised).toEqual([]);
  });

  test('others are serialised as ever, and errors stay errors', async () => {
    const { ask, serialised } = await served(({ request }, callback) => {
      if (request.toString() === 'no') callback({ code: status.NOT_FOUND, details: 'none' });
      else callback(null, Buffer.from(`not kept: ${request.toString()}`));
    });
    expect((await ask('a')).toString()).toBe('not kept: a');
    expect(serialised.map(String)).toEqual(['not kept: a']);
    await expect(ask('no')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});
