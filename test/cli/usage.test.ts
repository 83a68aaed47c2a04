import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { processIo } from '../../src/cli/io.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { flagOf } from '../../src/config.ts';
import { OPTIONS } from '../../src/config-options.ts';
import { TEST_SECRET } from '../support/tokens.ts';
import { folder, run, spawnCli } from './support.ts';

const COMMANDS = [
  [],
  ['start'],
  ['migrate'],
  ['agents'],
  ['agents', 'list'],
  ['agents', 'show'],
  ['agents', 'flyte'],
  ['agents', 'import'],
  ['deployments'],
  ['deployments', 'list'],
  ['deployments', 'add'],
  ['deployments', 'set'],
  ['deployments', 'drain'],
  ['deployments', 'remove'],
  ['export'],
  ['load'],
  ['schema'],
  ['schema', 'print'],
  ['compose'],
  ['gateway'],
  ['token'],
];

describe('help', () => {
  test('every command is known to this list', () => {
    const paths = (command: ReturnType<typeof buildProgram>, path: string[] = []): string[] => [
      path.join(' '),
      ...command.commands.flatMap((c) => paths(c, [...path, c.name()])),
    ];
    expect(paths(buildProgram(processIo())).sort()).toEqual(COMMANDS.map((c) => c.join(' ')).sort());
  });

  test.each(COMMANDS.map((command) => [command.join(' '), command]))('rollcall %s --help', async (_name, command) => {
    const { code, stdout, stderr } = await run([...(command as string[]), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: rollcall ${(command as string[]).join(' ')}`.trimEnd());
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage');
    expect(stderr).toBe('');
  });

  test('start has every setting, with its variable', async () => {
    const { stdout } = await run(['start', '--help']);
    const words = stdout.replace(/\s+/g, ' ');
    for (const name of Object.keys(OPTIONS)) {
      expect(words).toContain(`--${flagOf(name)} `);
      expect(words).toContain(`environment: ${name})`);
    }
  });

  test('the version is that of the package', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await spawnCli(['--version']).done()).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage ends with code 2 and says what is wrong', () => {
  test.each([
    [[], {}, /Usage: rollcall/],
    [['agents'], {}, /Usage: rollcall agents/],
    [['agent'], {}, /unknown command 'agent'.*Did you mean agents/s],
    [['agents', 'list', '--stauts', 'active'], {}, /unknown option '--stauts'.*Did you mean --status/s],
    [['agents', 'list', '--status', 'asleep'], {}, /--status.*Allowed choices are active, inactive, deprecated/],
    [['agents', 'list', '--limit', '0'], {}, /--limit.*whole number from 1/],
    [['agents', 'show'], {}, /missing required argument 'id-or-handle'/],
    [['agents', 'flyte', 'x', '--sync', '--async'], {}, /cannot be used with option/],
    [['agents', 'flyte', 'x', '--category', 'spark@one'], {}, /--category.*a name and a version/],
    [['export'], {}, /missing required argument 'file'/],
    [['deployments', 'add', 'agent'], {}, /missing required argument 'endpoint'/],
    [['deployments', 'add', 'agent', 'h:1', '--weight', '1001'], {}, /--weight.*whole number from 0 to 1000/],
    [['deployments', 'add', 'agent', 'h:1', '--timeout', 'listAgents=5'], {}, /must be one of createTask/],
    [['deployments', 'add', 'agent', 'h:1', '--timeout', 'getTask=soon'], {}, /--timeout.*whole number/],
    [['deployments', 'set', 'id', '--tls', '--plaintext'], {}, /cannot be used with option/],
    [['export', 'a', 'b'], {}, /too many arguments/],
    [['load', 'x', '--on-conflict', 'ignore'], {}, /Allowed choices are fail, skip, update/],
    [['start', '--prot', '1'], {}, /unknown option '--prot'/],
    [['schema', 'print', '--subgraph', '--supergraph'], {}, /cannot be used with option/],
    [['agents', 'list', '--server', 'http://x', '--data-dir', 'y'], {}, /cannot be used with option/],
    [['agents', 'list', '--server', 'ftp://x'], {}, /^rollcall: --server: must be a URL starting with http/],
    [['agents', 'list'], { ROLLCALL_URL: 'nowhere' }, /^rollcall: ROLLCALL_URL: must be a URL/],
    [['agents', 'list'], { PORT: 'eighty' }, /^rollcall: PORT: must be a port/],
    [['migrate'], { LOG_LEVEL: 'loud' }, /^rollcall: LOG_LEVEL: must be one of/],
    [['export', '-'], { DATABASE_URL: 'postgres://h/d' }, /^rollcall: SECRET_KEY: a PostgreSQL database/],
    [['export', '-', '--database-url', 'mysql://h/d'], {}, /^rollcall: DATABASE_URL: must be a URL/],
    [['agents', 'list'], { DATABASE_URL: 'memory://' }, /^rollcall: DATABASE_URL: a database in memory/],
    [['migrate'], { DATABASE_URL: 'memory://' }, /^rollcall: DATABASE_URL: a database in memory/],
    [['token', '--subject', 'me'], {}, /^rollcall: AUTH_SECRET: not set; set it to the secret/],
    [['token', '--subject', 'me'], { AUTH_JWKS_URL: 'http://x/' }, /^rollcall: AUTH_SECRET: .*identity provider/],
    [['token', '--subject', 'me'], { AUTH_SECRET: 'short' }, /^rollcall: AUTH_SECRET: must have at least 32/],
    [['token'], { AUTH_SECRET: TEST_SECRET }, /required option '--subject/],
    [['token', '--subject', 'me', '--scope', 'registry:all'], { AUTH_SECRET: TEST_SECRET }, /Scopes are registry:read/],
    [['token', '--subject', 'me', '--scope', 'Admin'], { AUTH_SECRET: TEST_SECRET }, /Scopes are registry:read/],
    [['token', '--subject', 'me', '--scope', 'costs"read'], { AUTH_SECRET: TEST_SECRET }, /Scopes are registry:read/],
    [['token', '--subject', 'me', '--expires', '2y'], { AUTH_SECRET: TEST_SECRET }, /a duration such as 30m/],
  ])('%j %j', async (args, env, message) => {
    const { code, stdout, stderr } = await run(args, { env: env as Record<string, string> });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('a start refuses a wrong setting, from flag or environment', async () => {
    expect(await spawnCli(['start', '--port', 'eighty']).done()).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^rollcall: PORT: must be a port/),
    });
    expect(await spawnCli(['start'], { HOST: '0.0.0.0' }).done()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^rollcall: AUTH_MODE: /),
    });
  });

  test('a launcher without a build says so', async () => {
    const root = folder();
    mkdirSync(join(root, 'bin'));
    cpSync(new URL('../../bin', import.meta.url), join(root, 'bin'), { recursive: true });
    cpSync(new URL('../../package.json', import.meta.url), join(root, 'package.json'));
    expect(await spawnCli(['--help'], {}, join(root, 'bin/rollcall.js')).done()).toEqual({
      code: 1,
      stdout: '',
      stderr: 'rollcall: it has not been built yet; run `npm run build` first.\n',
    });
  });
});

describe('token', () => {
  const env = { AUTH_SECRET: TEST_SECRET, AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'rollcall' };

  test('is one that the server takes, for the subject, scopes and time asked for', async () => {
    const args = [
      'token',
      '--subject',
      'someone',
      '--scope',
      'admin,registry:read,costs:read',
      '--scope',
      'tasks:read',
    ];
    const { code, stdout, stderr } = await run([...args, '--expires', '2h', '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const answer = JSON.parse(stdout);
    const principal = await createAuthenticator({ AUTH_MODE: 'jwt', ...env }).authenticate(`Bearer ${answer.token}`);
    expect(principal.subject).toBe(answer.owner);
    expect([...principal.scopes].sort()).toEqual(['admin', 'registry:read', 'tasks:read']);
    expect(principal.granted).toContain('costs:read');
    const { exp, iat } = decodeJwt(answer.token);
    expect(exp! - iat!).toBe(7_200);
  });

  test('alone is what is printed without --json, with rights on one’s own things', async () => {
    const { stdout } = await run(['token', '--subject', 'someone'], { env });
    expect(decodeJwt(stdout.trim())).toMatchObject({
      sub: 'someone',
      scope: 'registry:read registry:write tasks:send tasks:read',
    });
  });
});

describe('schema print', () => {
  test.each([
    [[], /type Agent @key/],
    [['--subgraph'], /type Agent @key/],
    [['--supergraph'], /@join__graph/],
  ])('%j', async (flags, pattern) => {
    const { code, stdout } = await run(['schema', 'print', ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(pattern);
    expect(stdout).not.toMatch(/npm run schema/);
    expect(JSON.parse((await run(['schema', 'print', ...flags, '--json'])).stdout).sdl.trim()).toBe(stdout.trim());
  });
});
