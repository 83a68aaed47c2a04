import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { holdDataDirectory } from '../../src/database/data-directory-lock.ts';
import { newId } from '../../src/database/ids.ts';
import { ask, startTestApp } from '../support/app.ts';
import { cardV1, startCardServer } from '../support/card-server.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { startServerProcess } from '../support/server-process.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { agentRecord, dataDirectory, HEADER, linesFile, run, spawnCli, withoutTime } from './support.ts';

const cleanup = afterTheTest();

async function serve(settings: Record<string, string> = {}): Promise<App> {
  const app = await startTestApp(settings);
  cleanup(() => app.close());
  return app;
}

const AGENTS = [
  HEADER,
  agentRecord('painter', {
    type: 'image',
    status: 'deprecated',
    provider: { name: 'Atelier' },
    skills: ['paint', 'draw', 'sketch', 'frame'].map((key) => ({ key, name: key, tags: ['art'] })),
  }),
  agentRecord('writer', { authenticationType: 'apiKey', skills: [{ key: 'write', name: 'Write', tags: ['text'] }] }),
  agentRecord('hidden', { visibility: 'private', owner: newId() }),
];

/** The two ways to a registry, which answer the same. */
const WAYS = {
  'through a server': async () => ['--server', (await serve()).addresses.url],
  'on a data directory': async () => ['--data-dir', await dataDirectory()],
} as const;

describe.each(Object.entries(WAYS))('agents %s', (_name, open) => {
  test('are listed, filtered, shown and exported', async () => {
    const at = await open();
    const agents = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(['agents', 'list', ...args, '--json', ...at]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const answer = JSON.parse(stdout);
      return {
        ...answer,
        handles: answer.agents.map((a: { handle: string }) => a.handle).filter((h: string) => h !== 'echo'),
      };
    };
    expect(await run(['load', linesFile(AGENTS), ...at])).toMatchObject({ code: 0, stdout: /^4|3 created/ });
    expect((await agents()).handles).toEqual(['painter', 'writer', 'hidden']);
    expect((await agents('--search', 'pai')).handles).toEqual(['painter']);
    expect((await agents('--status', 'deprecated', 'inactive')).handles).toEqual(['painter']);
    expect((await agents('--skill', 'write')).handles).toEqual(['writer']);
    expect((await agents('--tag', 'art')).handles).toEqual(['painter']);
    expect(await agents('--limit', '1')).toMatchObject({ more: true });

    const listed = await run(['agents', 'list', '--tag', 'art', ...at]);
    expect(
      listed.stdout
        .split('\n')
        .slice(0, 2)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['HANDLE', 'NAME', 'TYPE', 'EXECUTION', 'STATUS', 'PROVIDER', 'SKILLS'],
      ['painter', 'Agent painter', 'image', 'api', 'deprecated', 'Atelier', 'paint, draw, sketch, +1'],
    ]);
    const [painter] = (await agents('--tag', 'art')).agents;
    const shown = await run(['agents', 'show', 'painter', '--json', ...at]);
    expect(JSON.parse(shown.stdout)).toEqual(painter);
    expect(JSON.parse((await run(['agents', 'show', painter.id, '--json', ...at])).stdout)).toEqual(painter);
    expect(painter).toMatchObject({ executionType: 'api', status: 'deprecated', visibility: 'internal' });
    expect(JSON.parse((await run(['agents', 'show', 'writer', '--json', ...at])).stdout).authenticationType).toBe(
      'apiKey',
    );
    expect((await run(['agents', 'show', 'painter', ...at])).stdout).toMatch(/^provider +Atelier$/m);
    expect(await run(['agents', 'show', 'nobody', ...at])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'rollcall: There is no agent "nobody" that you may see.\n',
    });

    const first = await run(['export', '-', ...at]);
    expect(first.stdout).toContain('"handle":"hidden"');
    const elsewhere = await dataDirectory();
    const copied = await run(['load', '-', '--data-dir', elsewhere], { stdin: first.stdout });
    expect(copied.code).toBe(0);
    expect(withoutTime((await run(['export', '-', '--data-dir', elsewhere])).stdout)).toBe(withoutTime(first.stdout));
    expect(await run(['load', '-', '--on-conflict', 'update', ...at], { stdin: first.stdout })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 created, 0 updated, \d unchanged, 0 skipped/),
    });
    const broken = await run(['load', '-', ...at], {
      stdin: `${JSON.stringify(HEADER)}\n${JSON.stringify(agentRecord('x', { url: 'x' }))}\n`,
    });
    expect(broken).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^line 2: agent\.url: must be an absolute/),
    });
  });

  test('are imported by their card, with its problems by path', async () => {
    const at = await open();
    const cards = await startCardServer();
    cleanup(() => cards.close());
    cards.on('/.well-known/agent-card.json', cardV1({ description: undefined }));
    const imported = await run(['agents', 'import', cards.url, '--handle', 'sky', '--visibility', 'public', ...at]);
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Imported sky \([0-9a-f-]{36}\)\.\n$/) });
    expect(imported.stderr).toMatch(/^warning: \$\.description: is required/m);
    const again = await run(['agents', 'import', cards.url, '--json', ...at]);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/was imported from .* already/) });

    cards.on('/broken.json', cardV1({ name: 7, skills: 'none' }));
    const broken = await run(['agents', 'import', `${cards.url}broken.json`, '--json', ...at]);
    expect(broken.code).toBe(1);
    const report = JSON.parse(broken.stdout);
    expect(report).toMatchObject({ agent: null, valid: false });
    expect(report.problems).toContainEqual({ path: '$.name', severity: 'error', message: expect.any(String) });
    expect((await run(['agents', 'import', `${cards.url}broken.json`, ...at])).stderr).toMatch(/^error: \$\.name: /m);
  });
});

describe('rights', () => {
  test('are those of the token: of --token, or ROLLCALL_TOKEN', async () => {
    const { url } = (await serve(JWT_SETTINGS)).addresses;
    const env = { ROLLCALL_URL: url };
    const [owner, admin] = [newId(), await tokenFor(newId(), ['admin'])];
    const seed = linesFile([HEADER, agentRecord('mine', { visibility: 'private', owner }), agentRecord('ours')]);
    expect(await run(['load', seed], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Sign in first/),
    });
    expect(await run(['load', seed, '--token', await tokenFor(owner)], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^rollcall: This needs the scope admin/),
    });
    expect((await run(['load', seed, '--token', admin], { env })).code).toBe(0);
    const handles = async (token?: string) => {
      const { stdout } = await run(['export', '-'], {
        env: { ...env, ...(token === undefined ? {} : { ROLLCALL_TOKEN: token }) },
      });
      return [...stdout.matchAll(/"handle":"(\w+)"/g)].map(([, handle]) => handle);
    };
    expect(await handles()).toEqual(['echo']);
    expect(await handles(await tokenFor(newId()))).toEqual(['echo', 'ours']);
    expect(await handles(await tokenFor(owner))).toEqual(['echo', 'mine', 'ours']);
    expect(await handles(admin)).toEqual(['echo', 'mine', 'ours']);
    expect(await run(['agents', 'list', '--token', 'nonsense'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^rollcall: The token is not valid here/),
    });
  });

  test('on an opened database are those of the token, too', async () => {
    const dir = await dataDirectory();
    const env = { DATA_DIR: dir, ...JWT_SETTINGS };
    await run(['load', linesFile(AGENTS)], { env });
    const { stdout } = await run(['agents', 'list', '--token', await tokenFor(newId())], { env });
    expect(stdout).toContain('painter');
    expect(stdout).not.toContain('hidden');
  });
});

describe('finding the server', () => {
  test('commands go through the server that holds the data directory, until it has stopped', async () => {
    const dir = await dataDirectory();
    await run(['load', linesFile(AGENTS), '--data-dir', dir]);
    const server = startServerProcess({ DATA_DIR: dir });
    cleanup(() => server.stop());
    const url = await server.url();
    expect(JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))).toMatchObject({ url, pid: server.child.pid });

    const env = { DATA_DIR: dir };
    expect((await run(['agents', 'list'], { env })).stdout).toContain('painter');
    expect((await run(['load', linesFile([HEADER, agentRecord('added')])], { env })).code).toBe(0);
    expect(await run(['migrate'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^rollcall: DATA_DIR: .* is in use by another Rollcall process/),
    });

    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    expect(existsSync(join(dir, 'server.json'))).toBe(false);
    expect((await run(['agents', 'list'], { env })).stdout).toContain('added');
  });

  test.each([
    ['no server.json', undefined],
    ['a server.json of a process that ended', JSON.stringify({ url: 'http://127.0.0.1:1/', pid: 2 ** 22 + 1 })],
    ['a broken server.json', '{"url":'],
  ])('a directory that is held, with %s, is refused with what to do', async (_what, content) => {
    const dir = await dataDirectory();
    const lock = holdDataDirectory(dir);
    cleanup(() => lock.release());
    if (content !== undefined) writeFileSync(join(dir, 'server.json'), content);
    const { code, stdout, stderr } = await run(['agents', 'list', '--data-dir', dir]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^rollcall: DATA_DIR: .* has not said where it is reached: .*--server\.\n$/);
  });

  test('a server that is none, or does not answer, is told as such', async () => {
    const cards = await startCardServer();
    const list = () => run(['agents', 'list', '--server', cards.url]);
    const none = await list().finally(() => cards.close());
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/answered 404 and no GraphQL: is this the address of a Rollcall server\?/);
    expect(await list()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^rollcall: http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/),
    });
  });
});

describe('a batch that fails as a whole', () => {
  test('is told with its lines', async () => {
    const { url } = (await serve({ MAX_BODY_BYTES: '2048' })).addresses;
    const file = linesFile([HEADER, agentRecord('a'), agentRecord('b', { description: 'x'.repeat(3_000) })]);
    const { code, stdout, stderr } = await run(['load', file, '--server', url]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^rollcall: lines 2 to 3: .*\n$/);
  });
});

describe('start', () => {
  test('runs a server by flags, with server.json beside its data, until it is asked to stop', async () => {
    const dir = await dataDirectory();
    const flags = ['--port', '0', '--flyte-port=0', '--data-dir', dir, '--introspection', 'false', '--log-level=warn'];
    const { child, done } = spawnCli(['start', ...flags]);
    cleanup(() => child.kill('SIGKILL'));
    const ended = done();
    await once(child.stdout, 'data');
    const { url } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'));
    const { errors } = await ask(url, '{ __schema { queryType { name } } }');
    expect(errors).toHaveLength(1);
    expect(await run(['agents', 'list', '--data-dir', dir])).toMatchObject({ code: 0, stdout: 'No agents.\n' });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Rollcall is running.') });
    expect(existsSync(join(dir, 'server.json'))).toBe(false);
  });
});

describe('migrate', () => {
  test('says what it ran, once', async () => {
    const dir = await dataDirectory();
    expect(await run(['migrate', '--data-dir', dir])).toMatchObject({
      code: 0,
      stdout: `The embedded database in ${dir} is up to date.\n`,
    });
    expect(JSON.parse((await run(['migrate', '--dry-run', '--json', '--data-dir', dir])).stdout)).toEqual({
      pending: [],
    });
  });
});
