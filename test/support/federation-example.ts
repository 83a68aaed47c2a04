import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../examples/federation/', import.meta.url));

/** The subgraphs of the example. */
export type ExampleName = 'costs' | 'incidents';

/** An entry of SUBGRAPHS. */
export interface ListEntry {
  readonly name: string;
  readonly url: string;
  readonly subscriptionsUrl?: string;
  readonly forwardHeaders?: readonly string[];
}

/** examples/federation in processes of its own, on free ports. */
export interface FederationExample {
  /** examples/federation/subgraphs.json, with the addresses of this run. */
  list(): ListEntry[];
  /** Ends one of them; resolves once it is gone. */
  stop(name: ExampleName): Promise<void>;
  /** Starts one again where it was, with these variables; resolves once it listens. */
  restart(name: ExampleName, env?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

/** A process, and what it has written so far. */
function startScript(script: string, env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [`${FOLDER}${script}`], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  const said = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(out);
      if (found !== null) return found;
      if (child.exitCode !== null) throw new Error(`${script} ended: ${out}`);
      await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    }
  };
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { said, stop };
}

const listening = (name: ExampleName): RegExp =>
  new RegExp(`The ${name} subgraph is at http://127\\.0\\.0\\.1:(\\d+)/graphql \\(process (\\d+)\\)`);

/** Starts both as `npm run example:federation` does. */
export async function startFederationExample(): Promise<FederationExample> {
  const both = startScript('start.mjs', { COSTS_PORT: '0', INCIDENTS_PORT: '0' });
  const found = {
    costs: await both.said(listening('costs')),
    incidents: await both.said(listening('incidents')),
  };
  const again = new Map<ExampleName, ReturnType<typeof startScript>>();
  const port = (name: ExampleName): string => found[name][1]!;
  return {
    list() {
      const text = readFileSync(`${FOLDER}subgraphs.json`, 'utf8')
        .replaceAll('127.0.0.1:4701', `127.0.0.1:${port('costs')}`)
        .replaceAll('127.0.0.1:4702', `127.0.0.1:${port('incidents')}`);
      return JSON.parse(text) as ListEntry[];
    },
    async stop(name) {
      const alone = again.get(name);
      if (alone !== undefined) {
        await alone.stop();
        return;
      }
      process.kill(Number(found[name][2]), 'SIGTERM');
      await both.said(new RegExp(`The ${name} subgraph has stopped`));
    },
    async restart(name, env = {}) {
      const alone = startScript(`${name}.mjs`, { [`${name.toUpperCase()}_PORT`]: port(name), ...env });
      again.set(name, alone);
      await alone.said(listening(name));
    },
    async close() {
      await Promise.all([both, ...again.values()].map((script) => script.stop()));
    },
  };
}
