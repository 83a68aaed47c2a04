import type { ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import { framed, HEADER_BYTES } from './framed.ts';

/** Kept answers, each with its frame. */
const frames = new WeakMap<object, Buffer>();

/** A call as grpc-js makes it: this method of it, which is not public, puts the frame around a message. */
type FramingCall = ServerInterceptingCallInterface & { serializeMessage?: (message: object) => Buffer };

/** The same bytes, as an answer that will be given many times: a server with {@link keptAnswers} frames it no more. */
export function keptAnswer(message: Buffer): Buffer {
  const frame = framed(message);
  const inside = frame.subarray(HEADER_BYTES);
  frames.set(inside, frame);
  return inside;
}

/**
 * Sends kept answers as they are. Otherwise each is copied into a new frame, and what is thrown away there makes the
 * garbage collector run, which in a server with much in memory takes longer than answering: with 50 kB, as long as the
 * rest of the call. A version of grpc-js that frames elsewhere loses this and nothing else; test/grpc/kept-answers.test.ts
 * then fails.
 */
export const keptAnswers: ServerInterceptor = ({ responseStream }, given) => {
  const call: FramingCall = given;
  const { serializeMessage } = call;
  if (!responseStream && serializeMessage !== undefined)
    call.serializeMessage = (message) => frames.get(message) ?? serializeMessage.call(call, message);
  return given as ReturnType<ServerInterceptor>;
};
