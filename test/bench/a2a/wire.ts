import { randomUUID } from 'node:crypto';

/** As much of A2A 1.0 over JSON-RPC as the benchmark sends and reads. */
export const HEADERS = { 'content-type': 'application/json', 'a2a-version': '1.0' };

export type SendMethod = 'SendMessage' | 'SendStreamingMessage';

/** A request with a message that nobody sent before. */
export const sendBody = (method: SendMethod, text: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }] } },
  });

interface Artifact {
  readonly parts: readonly { readonly text?: string }[];
}

export interface Task {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly artifacts?: readonly Artifact[];
}

/** An answer to SendMessage, or one event of a stream. */
export interface Answer {
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly task?: Task;
    readonly statusUpdate?: { readonly status: { readonly state: string } };
    readonly artifactUpdate?: { readonly artifact: Artifact };
  };
}

/** What the agent answers to a text. */
export const echoOf = (text: string): string => `echo: ${text}`;

/** The agent's other behaviours, by the text of the message. */
export const STREAM = 'stream';
export const HOLD = 'hold';

/** The text of the n-th chunk of a stream; whoever reads it knows from it that none is missing. */
export const chunkText = (n: number): string => `${n} of the words`;

/** Microseconds of a clock that all processes of a machine share and nobody sets. */
export const clock = (): number => Number(process.hrtime.bigint() / 1_000n);
