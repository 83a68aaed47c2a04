import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { startFederationExample } from '../support/federation-example.ts';
import { type Block, blocksOf, PAGES, ROOT } from './pages.ts';

/** A block of commands that works as it stands, and the answer that the page prints after it, if it does. */
interface Step {
  readonly commands: Block;
  readonly answer: Block | undefined;
}

/** Where the commands of a block work: on a new server, or on one that another team's subgraph is joined to. */
type Setting = 'run' | 'federated';

function stepsOf(page: string, setting: Setting): Step[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((commands, i) => {
    if (commands.info !== `sh ${setting}`) return [];
    const next = blocks[i + 1];
    return [{ commands, answer: next?.info === 'json answer' ? next : undefined }];
  });
}

const cleanup = afterTheTest();

/** An example as its script starts it, on a free port. Resolves to its URL, which ends the process when it does not come. */
async function startExample(script: string, portVariable: string): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [`${ROOT}examples/${script}`], {
    env: { ...process.env, [portVariable]: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanup(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
  let out = '';
  for await (const chunk of child.stdout!) {
    out += String(chunk);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0];
    if (url !== undefined && out.includes('\n')) return url;
  }
  throw new Error(`${script} ended: ${out}`);
}

/** What differs from run to run, made equal. */
const settled = (text: string): unknown =>
  JSON.parse(
    text
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
      .replace(/"costPerCall":[\d.]+/g, '"costPerCall":0')
      .replace(/"(startCursor|endCursor|cursor)":"[^"]*"/g, '"$1":"CURSOR"'),
  );

const SEPARATOR = '\u001e';
/** What a shell that ends early says of the command that it ended with; BASH_COMMAND is the last one of a pipe. */
const ON_FAILURE = `trap 'at=("$?" "\${PIPESTATUS[*]}"); echo "exit code \${at[0]} (each of the pipe: \${at[1]}) at: $BASH_COMMAND" >&2' ERR`;
const tools = ['bash', 'curl', 'sed'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (tools.length > 0)
  process.stdout.write(`skipped: the commands of the documentation (not installed: ${tools.join(', ')})\n`);

/** The settings of a server that the subgraphs of the federation example are joined to. */
async function federatedSettings(): Promise<Record<string, string>> {
  const example = await startFederationExample();
  cleanup(() => example.close());
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-docs-'));
  cleanup(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'subgraphs.json');
  writeFileSync(file, JSON.stringify(example.list()));
  return { SUBGRAPHS: file };
}

describe.skipIf(tools.length > 0)('the commands of', () => {
  const settings: readonly Setting[] = ['run', 'federated'];
  const pages = settings.flatMap((setting) => PAGES.map((page) => [page, setting, stepsOf(page, setting)] as const));
  const runnable = pages.filter(([, , steps]) => steps.length > 0);

  test('the README and of each setting are there', () => {
    expect(runnable.map(([page]) => page)).toContain('README.md');
    expect(new Set(runnable.map(([, setting]) => setting))).toEqual(new Set(settings));
  });

  test.each(runnable)('%s (%s) work, and answer what is printed', async (page, setting, steps) => {
    const needs = (text: string): boolean => steps.some(({ commands }) => commands.text.includes(text));
    const agent = needs(':4700') ? await startExample('sdk-agent.mjs', 'AGENT_PORT') : 'http://127.0.0.1:4700';
    const app = await startTestApp(setting === 'federated' ? await federatedSettings() : {});
    cleanup(() => app.close());
    const server = app.addresses.url.replace(/\/$/, '');
    const script = steps
      .map(({ commands }) => `${commands.text}\nprintf '\\036'\n`)
      .join('')
      .replaceAll('http://127.0.0.1:4000', server)
      .replaceAll('http://127.0.0.1:4700', agent);

    const child = spawn('bash', ['-euo', 'pipefail'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    cleanup(() => void child.kill('SIGKILL'));
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.end(`${ON_FAILURE}\n${script}`);
    const [code, signal] = await once(child, 'close');

    const answers = out
      .replaceAll(server, 'http://127.0.0.1:4000')
      .replaceAll(agent, 'http://127.0.0.1:4700')
      .split(SEPARATOR);
    const at = (i: number): string => `${page}:${steps[i]!.commands.line}`;
    const last = Math.min(answers.length, steps.length) - 1;
    expect(
      code,
      `${at(last)} ended with exit code ${code} (signal ${signal}):\n${steps[last]!.commands.text}\n${err}${answers.at(-1)}`,
    ).toBe(0);
    for (const [i, { answer }] of steps.entries()) {
      const got = answers[i]!.trim();
      if (answer !== undefined) expect(settled(got), at(i)).toEqual(settled(answer.text));
      else expect(got, at(i)).not.toMatch(/"errors?":|"status":[45]\d\d/);
    }
  });
});
