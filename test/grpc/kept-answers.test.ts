import { Client, credentials, type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keptAnswer, keptAnswers } from '../../src/grpc/kept-answers.ts';

type Bytes = Buffer<ArrayBufferLike>;
const PATH = '/test.Service/Method';
const same = (bytes: Bytes): Bytes => bytes;

/** A call to a server of one method, and what it had to serialise. */
async function served(handle: handleUnaryCall<Bytes, Bytes>) {
  const serialised: Bytes[] = [];
  const server = new Server({ interceptors: [keptAnswers] });
  const method = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: (bytes: Bytes) => {
      serialised.push(bytes);
      return bytes;
    },
    responseDeserialize: same,
  } as const;
  server.addService({ method }, { method: handle });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
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
