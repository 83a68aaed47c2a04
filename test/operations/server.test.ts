import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DRAIN_MS } from '../../src/app/http.ts';
import { ask, data } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { describeOnDrivers } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const cleanup = afterTheTest();

const start = (env: Record<string, string>, flags?: readonly string[]): ServerProcess => {
  const server = startServerProcess(env, flags);
  cleanup(() => server.stop());
  return server;
};

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'rollcall-'));
  cleanup(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

describe('configuration at start', () => {
  test.each([
    [{ PORT: 'eighty' }, [], /^rollcall: PORT: must be a port/],
    [{ LOG_LEVEL: 'loud' }, [], /^rollcall: LOG_LEVEL: must be one of/],
    [{ HOST: '0.0.0.0' }, [], /^rollcall: AUTH_MODE: HOST is 0\.0\.0\.0/],
    [{ HOST: '0.0.0.0', AUTH_MODE: 'none' }, [], /^rollcall: AUTH_MODE: none lets everyone/],
    [{ AUTH_MODE: 'jwt' }, [], /^rollcall: AUTH_JWKS_URL: AUTH_MODE=jwt needs/],
    [{ DATABASE_URL: 'mysql://x' }, [], /^rollcall: DATABASE_URL: must be a URL starting with postgres/],
    [{ DATABASE_URL: 'postgres://x/y' }, [], /^rollcall: SECRET_KEY: a PostgreSQL database is shared/],
    [{ SUBGRAPHS: '/does/not/exist.json', DATABASE_URL: 'memory://' }, [], /^rollcall: SUBGRAPHS: .* cannot be read/m],
    [{ EGRESS_ALLOW: '10.0.0.0/99', DATABASE_URL: 'memory://' }, [], /^rollcall: .*EGRESS_ALLOW/m],
    [
      { TLS_CERT: '/does/not/exist', TLS_KEY: '/neither', DATABASE_URL: 'memory://' },
      [],
      /^rollcall: TLS_CERT: .*cannot be read/m,
    ],
    [{}, ['--prot', '1'], /^rollcall: Unknown option '--prot'/],
  ])('%o %o stops the start, naming what is wrong', async (env, flags, message) => {
    const server = start(env as Record<string, string>, flags);
    expect(await server.exited).toBe(2);
    expect(server.stderr()).toMatch(message);
    expect(server.stderr()).not.toMatch(/\n\s+at /);
    expect(server.stdout()).toBe('');
  });
});

describe('ports', () => {
  test.each(['PORT', 'GRPC_PORT', 'FLYTE_PORT'])('a %s that is taken is named', async (setting) => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    cleanup(() => holder.close());
    const server = start({ DATABASE_URL: 'memory://', [setting]: String((holder.address() as AddressInfo).port) });
    expect(await server.exited).toBe(2);
    expect(server.stderr()).toMatch(new RegExp(`^rollcall: ${setting}: port \\d+ is taken`, 'm'));
  });
});

describe('one data directory', () => {
  test('is held by one process; kill -9 frees it, and what was acknowledged is there', async () => {
    const dir = folder();
    const first = start({ DATA_DIR: dir });
    const url = await first.url();
    const { registerAgent } = await data(
      url,
      'mutation { registerAgent(input: { name: "Kept", executionType: API }) { id } }',
    );

    const second = start({ DATA_DIR: dir });
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toMatch(/DATA_DIR: .* is in use by another Rollcall process/);

    first.child.kill('SIGKILL');
    await first.exited;
    const third = start({ DATA_DIR: dir });
    expect(
      await data(await third.url(), 'query($id: ID!) { agent(id: $id) { name } }', { id: registerAgent.id }),
    ).toEqual({ agent: { name: 'Kept' } });
  });
});

describe('stopping', () => {
  test('SIGTERM lets a request under way end, and the process with code 0 within five seconds', async () => {
    const server = start({ DATABASE_URL: 'memory://' });
    const url = await server.url();
    const { agent } = await data(url, '{ agent(handle: "echo") { id } }');
    const running = ask(
      url,
      'mutation($id: ID!) { sendMessage(input: { agentId: $id, text: "slow: 1 seconds" }) { task { state } } }',
      { id: agent.id },
    );
    await waitForTask(url);
    const from = performance.now();
    server.child.kill('SIGTERM');
    expect((await running).data).toEqual({ sendMessage: { task: { state: 'COMPLETED' } } });
    expect(await server.exited).toBe(0);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  test('an idle server stops at once', async () => {
    const server = start({ DATABASE_URL: 'memory://' });
    await server.url();
    const from = performance.now();
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    // It has not waited for connections, as for requests under way.
    expect(performance.now() - from).toBeLessThan(DRAIN_MS);
  });
});

/** Until a task is at work: its agent has been called. */
async function waitForTask(url: string): Promise<void> {
  const stored = async () => (await data(url, '{ tasks(first: 1) { nodes { state } } }'))['tasks'].nodes.length;
  await expect.poll(stored).toBeGreaterThan(0);
}

describe('what is logged', () => {
  test('request ids and no secrets', async () => {
    const server = start({ DATABASE_URL: 'memory://', LOG_LEVEL: 'debug' });
    const url = await server.url();
    const answer = await fetch(`${url}graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': 'from-the-client',
        authorization: 'Bearer planted-secret-1',
      },
      body: JSON.stringify({
        query:
          'mutation { registerAgent(input: { name: "S", executionType: API, url: "http://127.0.0.1:9/", authentication: { type: BEARER, token: "planted-secret-2" } }) { id } }',
      }),
    });
    expect(answer.headers.get('x-request-id')).toBe('from-the-client');
    await answer.text();
    await server.logged(/from-the-client/);
    expect(server.stderr()).not.toContain('planted-secret');
    for (const line of server.stderr().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });
});

describe('a database that cannot be reached', () => {
  test('at start is waited for, then the process ends with a clear message and code 1', async () => {
    const server = start({
      DATABASE_URL: 'postgres://user:planted-secret@127.0.0.1:1/none',
      SECRET_KEY: 'x'.repeat(32),
    });
    expect(await server.exited).toBe(1);
    expect(server.stderr().match(/the database cannot be reached yet/g)).toHaveLength(4);
    expect(server.stderr()).toMatch(/rollcall: DATABASE_URL: PostgreSQL at 127\.0\.0\.1:1\/none cannot be reached/);
    expect(server.stderr()).not.toContain('planted-secret');
  });
});

describeOnDrivers(
  'a database that goes away and comes back',
  (open) => {
    test('gives errors meanwhile, then service without a restart', async () => {
      const database = await open();
      const proxy = await startTcpProxy(new URL(database.url!), 5432);
      cleanup(() => proxy.close());
      const server = start({ DATABASE_URL: proxy.url, SECRET_KEY: 'x'.repeat(32) });
      const url = await server.url();
      const query = '{ agents { nodes { id } } }';
      expect((await ask(url, query)).errors).toBeUndefined();
      expect((await fetch(`${url}health`)).status).toBe(200);

      await proxy.cut();
      const meanwhile = await ask(url, query);
      expect(meanwhile.errors![0]!.extensions['code']).toBe('DATABASE_UNAVAILABLE');
      expect((await fetch(`${url}health`)).status).toBe(503);
      expect((await fetch(`${url}health/live`)).status).toBe(200);

      await proxy.mend();
      expect((await ask(url, query)).errors).toBeUndefined();
      expect((await fetch(`${url}health`)).status).toBe(200);
    });
  },
  ['postgres'],
);
