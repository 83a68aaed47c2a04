import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { LONG } from '../support/soon.ts';

// Each command on a data directory opens the embedded database anew, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: LONG.timeout });

/** What a command did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
}

/** Runs one command in this process. Nothing of the caller's environment reaches it. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY: options.terminal ?? false });
  const [out, err] = [text(stdout), text(stderr)];
  const stdin = Readable.from([Buffer.from(options.stdin ?? '')]);
  const code = await main(args, { stdin, stdout, stderr, env: options.env ?? {} });
  stdout.end();
  stderr.end();
  return { code, stdout: await out, stderr: await err };
}

const BIN = fileURLToPath(new URL('../../bin/rollcall.js', import.meta.url));

/** Starts the built command line in a process of its own (test/support/services.ts builds it). */
export function spawnCli(args: readonly string[], env: Readonly<Record<string, string>> = {}, bin = BIN) {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
    });
  const closed = once(child, 'close');
  const done = async (): Promise<Ran> => {
    const [code] = await closed;
    return { code, ...said };
  };
  return { child, done };
}

const made: string[] = [];
const removeAll = (): void => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
};

/** A directory of this test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'rollcall-cli-'));
  made.push(path);
  return path;
}

let template: Promise<string> | undefined;

/** A data directory with an empty, migrated registry: a copy, as making one takes seconds. */
export async function dataDirectory(): Promise<string> {
  template ??= (async () => {
    const path = mkdtempSync(join(tmpdir(), 'rollcall-cli-template-'));
    const { code, stderr } = await run(['migrate', '--data-dir', path]);
    if (code !== 0) throw new Error(stderr);
    return path;
  })();
  const path = folder();
  cpSync(await template, path, { recursive: true });
  return path;
}

/** A file of this test with these lines: strings as they are, anything else as JSON. */
export function linesFile(lines: readonly unknown[]): string {
  const path = join(folder(), 'records.jsonl');
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return path;
}

export const HEADER = { format: 'rollcall-registry', version: 1 };

export const agentRecord = (handle: string, more: Record<string, unknown> = {}) => ({
  kind: 'agent',
  handle,
  name: `Agent ${handle}`,
  executionType: 'api',
  ...more,
});

/** An export without the time in its header. */
export const withoutTime = (exported: string): string => exported.replace(/"exportedAt":"[^"]+"/, '"exportedAt":""');

afterEach(removeAll);
afterAll(async () => {
  if (template !== undefined) rmSync(await template, { recursive: true, force: true });
});
