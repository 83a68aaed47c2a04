import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/database/ids.ts';
import { createTestDatabase, describeOnDrivers } from '../support/database.ts';
import { agentRecord, dataDirectory, folder, HEADER, linesFile, run, spawnCli, withoutTime } from './support.ts';

const SEED = [
  HEADER,
  { kind: 'provider', name: 'Acme', url: 'https://acme.example/' },
  agentRecord('one', {
    provider: { name: 'acme', url: 'https://acme.example/' },
    authenticationType: 'bearer',
    description: 'with \u2028 a separator that is no line',
    skills: [{ key: 's', name: 'Skill', tags: ['tagged'] }],
  }),
  '',
  agentRecord('two', { visibility: 'private', owner: newId(), status: 'deprecated' }),
];

describe('export and load on a data directory', () => {
  test('an export of what was loaded from an export is that export, but for its time', async () => {
    const [a, b, file] = [await dataDirectory(), await dataDirectory(), join(folder(), 'export.jsonl')];
    const loaded = await run(['load', linesFile(SEED), '--data-dir', a]);
    expect(loaded).toMatchObject({ code: 0, stdout: '3 created, 0 updated, 0 unchanged, 0 skipped.\n' });
    expect(loaded.stderr).toBe('These agents ask for credentials and have none here; set them with updateAgent: one\n');
    expect(await run(['export', file], { env: { DATA_DIR: a } })).toEqual({
      code: 0,
      stdout: `Exported 1 provider and 2 agents to ${file}.\n`,
      stderr: '',
    });
    const exported = readFileSync(file, 'utf8');
    const header = JSON.parse(exported.split('\n')[0]!);
    expect(header).toMatchObject(HEADER);
    expect(header.remark).toContain('Credentials are never in an export');

    expect((await run(['load', file, '--data-dir', b])).code).toBe(0);
    const again = await run(['export', '-', '--data-dir', b]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(withoutTime(again.stdout)).toBe(withoutTime(exported));

    const second = await run(['load', '-', '--on-conflict', 'update', '--json', '--data-dir', b], { stdin: exported });
    expect(JSON.parse(second.stdout)).toEqual({
      dryRun: false,
      created: 0,
      updated: 0,
      unchanged: 3,
      skipped: 0,
      needCredentials: ['one'],
      problems: [],
    });
    expect(withoutTime((await run(['export', '-', '--data-dir', b])).stdout)).toBe(withoutTime(exported));
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('rollcall-load-'))).toEqual([]);
  });

  test('a conflict fails the load before anything is written', async () => {
    const dir = await dataDirectory();
    await run(['load', linesFile([HEADER, agentRecord('late')]), '--data-dir', dir]);
    const many = Array.from({ length: 700 }, (_, i) => agentRecord(`early-${i}`));
    const failed = await run(['load', linesFile([HEADER, ...many, agentRecord('late')]), '--data-dir', dir]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toMatch(
      /^line 702: agent\.handle: the agent \S+ has the handle late already\nrollcall: nothing was loaded\n$/,
    );
    const { agents } = JSON.parse((await run(['agents', 'list', '--json', '--data-dir', dir])).stdout);
    expect(agents.map((a: { handle: string }) => a.handle)).toEqual(['late']);
  });

  test('a dry run counts and leaves everything as it is; progress is shown when asked for', async () => {
    const dir = await dataDirectory();
    const ran = await run(['load', linesFile(SEED), '--dry-run', '--progress', '--data-dir', dir]);
    expect(ran).toMatchObject({
      code: 0,
      stdout: 'Would be: 3 created, 0 updated, 0 unchanged, 0 skipped.\n',
    });
    expect(ran.stderr).toMatch(/^checked 3 records\n/);
    expect((await run(['agents', 'list', '--data-dir', dir])).stdout).toBe('No agents.\n');
    const drawn = await run(['load', linesFile(SEED), '--data-dir', dir], { terminal: true });
    expect(drawn.stderr).toContain('\r\u001b[Kloaded 3 records\n');
    const shown = await run(['export', '-', '--progress', '--data-dir', dir]);
    expect(shown.stderr).toMatch(/1 provider, 2 agents\n$/);
    for (const line of shown.stdout.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });

  test('every broken line is told with its number and field, and nothing is loaded', async () => {
    const dir = await dataDirectory();
    const file = linesFile([
      HEADER,
      agentRecord('fine'),
      '{"kind":"agent",',
      agentRecord('Bad Handle'),
      '[1]',
      agentRecord('worse', { skills: [{ key: 'k' }] }),
      { kind: 'agents' },
    ]);
    const { code, stderr, stdout } = await run(['load', file, '--on-conflict', 'update', '--data-dir', dir]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      new RegExp(
        [
          '^line 3: is not JSON',
          'line 4: agent\\.handle: must be lower-case letters .*',
          'line 5: must be a JSON object',
          'line 6: agent\\.skills\\[0\\]\\.name: .*',
          'line 7: kind: must be "provider" or "agent"',
          'rollcall: nothing was loaded\n$',
        ].join('\n'),
      ),
    );
    const json = await run(['load', file, '--json', '--data-dir', dir]);
    expect(JSON.parse(json.stdout).problems.map((p: { line: number }) => p.line)).toEqual([3, 4, 5, 6, 7]);
    expect((await run(['agents', 'list', '--data-dir', dir])).stdout).toBe('No agents.\n');
  });

  test.each([
    ['', /line 1: the first line must be the header/],
    ['{"kind":"agent"}\n', /line 1: the first line must be the header/],
    ['not JSON at all', /line 1: the first line must be the header/],
    ['{"format":"rollcall-registry","version":2}\n', /line 1: version: this Rollcall reads version 1 .* not 2/],
  ])('a file that begins with %j is no export', async (content, message) => {
    const path = join(folder(), 'x');
    writeFileSync(path, content);
    const { code, stderr } = await run(['load', path, '--data-dir', await dataDirectory()]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
  });

  test('files that cannot be read or written are named, and no database is made for them', async () => {
    const dir = join(folder(), 'none');
    expect(await run(['load', '/no/such/file', '--data-dir', dir])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'rollcall: /no/such/file: there is no such file or directory\n',
    });
    const missing = await run(['export', '-', '--data-dir', dir]);
    expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('There is no registry in') });
    expect(existsSync(dir)).toBe(false);
    const unwritable = await run(['export', '/no/such/dir/file', '--data-dir', await dataDirectory()]);
    expect(unwritable).toMatchObject({ code: 1, stderr: expect.stringMatching(/no such file or directory/) });
  });

  test('a reader that stops early ends an export quietly', async () => {
    const dir = await dataDirectory();
    const many = Array.from({ length: 600 }, (_, i) => agentRecord(`a-${i}`, { description: 'x'.repeat(3_000) }));
    expect((await run(['load', linesFile([HEADER, ...many]), '--data-dir', dir])).code).toBe(0);
    const { child, done } = spawnCli(['export', '-', '--data-dir', dir]);
    child.stdout.once('data', () => child.stdout.destroy());
    const { code, stdout, stderr } = await done();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.length).toBeLessThan(600 * 3_000);
  });
});

describeOnDrivers(
  'export and load on a database of its own',
  (_open, kind) => {
    test('go by DATABASE_URL, which load also migrates', async () => {
      const { url, drop } = await createTestDatabase(kind);
      try {
        const env = { DATABASE_URL: url, SECRET_KEY: 'x'.repeat(32) };
        expect(await run(['agents', 'list'], { env })).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/run rollcall migrate first/),
        });
        const file = linesFile(SEED);
        expect((await run(['load', file], { env })).code).toBe(0);
        const first = await run(['export', '-'], { env });
        const again = await run(['load', file, '--on-conflict', 'update'], { env });
        expect(again.stdout).toBe('0 created, 0 updated, 3 unchanged, 0 skipped.\n');
        expect(withoutTime((await run(['export', '-'], { env })).stdout)).toBe(withoutTime(first.stdout));
      } finally {
        await drop();
      }
    });
  },
  ['postgres'],
);
