import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

/** A server in a process of its own, as `npm start` runs it after the build (test/support/services.ts builds). */
export interface ServerProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The server's address, once it says that it runs; fails when the process ends before. */
  url(): Promise<string>;
  /** Resolves when what is waited for has been written to standard error. */
  logged(pattern: RegExp): Promise<void>;
  /** The exit code, once everything that it wrote is here too; null when a signal ended it. */
  exited: Promise<number | null>;
  /** Ends it if it still runs. */
  stop(): Promise<void>;
}

/** The built command line, for {@link startServerProcess}: its flags begin with a command. */
export const COMMAND_LINE = fileURLToPath(new URL('../../bin/rollcall.js', import.meta.url));

/** Starts a server with these variables and flags and none of the caller's settings. */
export function startServerProcess(
  env: Record<string, string>,
  flags: readonly string[] = [],
  program: string = MAIN,
): ServerProcess {
  const buildError = process.env['ROLLCALL_TEST_BUILD_ERROR'];
  if (buildError) throw new Error(`the build failed:\n${buildError}`);
  const child = spawn(process.execPath, [program, ...flags], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', GRPC_PORT: '0', FLYTE_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout!.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    wake();
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    wake();
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const until = (done: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!done()) return;
        watchers.delete(check);
        resolve();
      };
      watchers.add(check);
      check();
      void exited.then(() =>
        done() ? resolve() : reject(new Error(`the server ended before ${what}:\n${out}\n${err}`)),
      );
    });
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    async url() {
      const pattern = /GraphQL\s+(http\S+)graphql\s/;
      await until(() => pattern.test(out), 'it was running');
      return pattern.exec(out)![1]!;
    },
    logged: (pattern) => until(() => pattern.test(err), `it wrote ${pattern}`),
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
