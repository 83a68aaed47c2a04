import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { SOON } from '../soon.ts';

/** A run of the CLI. */
export interface FloatCall {
  readonly argv: readonly string[];
  /** The names of its environment variables. */
  readonly env: readonly string[];
  readonly pid: number;
}

/** A job as the fake OpCenter keeps it; `seen` is what its submission looked like. */
export interface FloatJob extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly status: string;
  readonly customTags: Readonly<Record<string, string>>;
  readonly seen: {
    readonly env: readonly string[];
    readonly extra: readonly string[];
    readonly file: string;
    readonly script: string;
    readonly mode: number;
    readonly dirMode: number;
  };
}

/**
 * What happens to one run of a command. hang: before anything is done. lost: done, then hangs. dropped: done, then fails.
 * expire: the session has ended. blab: fails and prints the password.
 */
export type FloatFault = 'hang' | 'crash' | 'flood' | 'expire' | 'blab' | 'garbage' | 'empty' | 'lost' | 'dropped';

/** A `float` CLI and its OpCenter, in a directory of their own. */
export class FakeFloat {
  readonly address = '10.1.2.3';
  readonly username = 'flyte-runner';
  readonly password = `p@ss "w'ord" ${Math.random().toString(36).slice(2)}`;
  readonly directory = mkdtempSync(join(tmpdir(), 'fake-float-'));
  /** The executable. */
  readonly program = join(this.directory, 'float');
  #faults = 0;

  constructor() {
    for (const name of ['jobs', 'faults']) mkdirSync(join(this.directory, name));
    const { address, username, password } = this;
    this.#write('settings.json', JSON.stringify({ address, username, password }));
    this.#write('calls.jsonl', '');
    const script = fileURLToPath(new URL('float.mjs', import.meta.url));
    writeFileSync(this.program, `#!/bin/sh\n"${process.execPath}" "${script}" "${this.directory}" "$@"\nexit $?\n`, {
      mode: 0o755,
    });
  }

  get credentials() {
    return { address: this.address, username: this.username, password: this.password };
  }

  /** Every run so far, or those of one command. */
  calls(command?: string): FloatCall[] {
    const lines = readFileSync(join(this.directory, 'calls.jsonl'), 'utf8').split('\n').filter(Boolean);
    const calls = lines.map((line): FloatCall => JSON.parse(line));
    return command === undefined ? calls : calls.filter(({ argv }) => argv[0] === command);
  }

  /** The runs that gave a password, or asked for the session. */
  logins(): { readonly asked: number; readonly loggedIn: number } {
    const all = this.calls('login');
    const asked = all.filter(({ argv }) => argv[1] === '--info').length;
    return { asked, loggedIn: all.length - asked };
  }

  jobs(): FloatJob[] {
    const names = readdirSync(join(this.directory, 'jobs')).filter((name) => /^[^.].*\.json$/.test(name));
    return names.map((name) => JSON.parse(readFileSync(join(this.directory, 'jobs', name), 'utf8')));
  }

  /** Changes a job as time would. */
  change(id: string, more: Readonly<Record<string, unknown>>): void {
    const path = join('jobs', `${id}.json`);
    this.#write(path, JSON.stringify({ ...JSON.parse(readFileSync(join(this.directory, path), 'utf8')), ...more }));
  }

  /** Orders a fault for the next run of that command (or the next so many). */
  fault(command: string, fault: FloatFault, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#write(join('faults', `${command}.${fault}.${this.#faults++}`), '');
  }

  /** Resolves with the process that hangs. */
  hanging(): Promise<number> {
    const path = join(this.directory, 'hanging');
    return vi.waitFor(() => {
      if (!existsSync(path)) throw new Error('nothing hangs');
      return Number(readFileSync(path, 'utf8').trim().split('\n').at(-1));
    }, SOON);
  }

  /** Ends the session, as time does. */
  expire(): void {
    rmSync(join(this.directory, 'session'), { force: true });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text);
  }
}
