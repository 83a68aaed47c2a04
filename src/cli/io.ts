import type { Readable, Writable } from 'node:stream';

/** What a command reads from and writes to: the process, or a test's own streams. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const processIo = (): Io => ({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});

/** Writes and waits until the reader has taken it. @throws the stream's error, EPIPE where nobody reads any more. */
export const write = (stream: Writable, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(text, (error) => (error == null ? resolve() : reject(error)));
  });

/** A result on standard output: as JSON for programs, or as text for people. */
export const say = (io: Io, json: boolean | undefined, value: unknown, text: string): Promise<void> =>
  write(io.stdout, json === true ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);

/** Control characters of a foreign name would move the cursor or colour the terminal. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
