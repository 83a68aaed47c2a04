import { spawn } from 'node:child_process';
import { RollcallError } from '../../errors.ts';

/** What a process may know of our environment: enough to find itself, its session and the way out. Our secrets are not. */
const ENVIRONMENT = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** Bytes of each output that are kept. */
const MAX_OUTPUT = 16 << 20;

/** How a process ended. */
export interface Finished {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (): Record<string, string> =>
  Object.fromEntries(
    ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );

/** Ends a process and what it started: a wrapper script that is killed alone leaves the real one running. */
function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Runs a program without a shell and collects what it prints. It is killed when the time is over, the signal is aborted
 * or it prints more than 16 MiB.
 *
 * @param name what errors call it: arguments may be secret, and appear in none
 * @throws RollcallError UPSTREAM_UNREACHABLE when it cannot be started, UPSTREAM_TIMEOUT, UPSTREAM_INVALID when it prints
 *   too much; the signal's reason when that is aborted
 */
export async function runProcess(
  program: string,
  args: readonly string[],
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Finished> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
    // A process group of its own, for kill().
    detached: true,
    windowsHide: true,
  });
  const end = (reason: unknown): void => {
    kill(child.pid);
    reject(reason);
  };
  const late = (): void =>
    end(new RollcallError('UPSTREAM_TIMEOUT', `${name} did not end within ${timeoutMs / 1000} s and was stopped.`));
  const timer = setTimeout(late, timeoutMs);
  const aborted = (): void => end(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });

  const collect = (stream: NodeJS.ReadableStream): Buffer[] => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT) end(new RollcallError('UPSTREAM_INVALID', `${name} printed more than 16 MiB.`));
      else chunks.push(chunk);
    });
    return chunks;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  child.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Node's own error carries the arguments (spawnargs): neither it nor its cause may get into a log.
    reject(new RollcallError('UPSTREAM_UNREACHABLE', `${name} cannot be started (${code ?? 'unknown error'}).`));
  });
  child.on('close', (exitCode) => resolve({ exitCode, stdout: text(stdout), stderr: text(stderr) }));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
  }
}
