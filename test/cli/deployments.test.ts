import { describe, expect, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { agentRecord, dataDirectory, HEADER, linesFile, run } from './support.ts';

const cleanup = afterTheTest();

/** The two ways to a registry, which answer the same. */
const WAYS = {
  'through a server': async () => {
    const app = await startTestApp();
    cleanup(() => app.close());
    return ['--server', app.addresses.url];
  },
  'on a data directory': async () => ['--data-dir', await dataDirectory()],
} as const;

const AGENTS = [HEADER, agentRecord('spark', { flyteName: 'Spark Agent', taskCategories: [{ name: 'spark' }] })];

describe.each(Object.entries(WAYS))('deployments %s', (_name, open) => {
  test('are added, listed, shown, changed, drained, exported and removed', async () => {
    const at = await open();
    const cli = async (...args: string[]) => {
      const { code, stdout, stderr } = await run([...args, ...at]);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout;
    };
    const json = async (...args: string[]) => JSON.parse(await cli(...args, '--json'));
    expect((await run(['load', linesFile(AGENTS), ...at])).code).toBe(0);
    expect(await cli('agents', 'flyte', 'spark', '--sync', '--name', 'Spark 2', '--category', 'spark@1', 'boto')).toBe(
      'spark: Spark 2, sync, boto v0, spark v1.\n',
    );
    expect((await json('agents', 'flyte', 'spark', '--async')).agent).toMatchObject({
      flyteName: 'Spark 2',
      isSync: false,
      taskCategories: [
        { name: 'boto', version: 0 },
        { name: 'spark', version: 1 },
      ],
    });
    expect(await cli('deployments', 'list', 'spark')).toBe('No deployments.\n');

    const added = await json(
      ...['deployments', 'add', 'spark', '127.0.0.1:8000', '--plaintext', '--weight', '9'],
      ...['--timeout', 'getTask=500', 'createTask=30000'],
    );
    const { id } = added.deployment;
    expect(added.deployment).toEqual({
      id: expect.any(String),
      endpoint: '127.0.0.1:8000',
      tls: false,
      generation: 1,
      weight: 9,
      draining: false,
      timeouts: { getTask: 500, createTask: 30_000 },
    });
    expect(await cli('deployments', 'add', 'spark', 'localhost:8001', '--generation', '2')).toMatch(
      /^Added: localhost:8001, TLS, generation 2, weight 1, [0-9a-f-]{36}\.\n$/,
    );
    expect(await cli('deployments', 'drain', id)).toContain('Draining: 127.0.0.1:8000, plaintext');
    expect((await json('deployments', 'drain', id, '--undo')).deployment.draining).toBe(false);
    const changed = await json('deployments', 'set', id, '--weight', '1', '--tls', '--endpoint', '127.0.0.1:9000');
    expect(changed.deployment).toMatchObject({ id, endpoint: '127.0.0.1:9000', tls: true, weight: 1 });
    expect(changed.deployment.timeouts).toEqual({ getTask: 500, createTask: 30_000 });

    const listed = await cli('deployments', 'list', 'spark');
    expect(listed.split('\n').map((line) => line.split(/ {2,}/).slice(1))).toEqual([
      ['ENDPOINT', 'TLS', 'GENERATION', 'WEIGHT', 'STATE'],
      ['127.0.0.1:9000', 'yes', '1', '1', 'open'],
      ['localhost:8001', 'yes', '2', '1', 'open'],
      [],
    ]);
    const shown = await json('agents', 'show', 'spark');
    expect(shown.deployments).toEqual((await json('deployments', 'list', 'spark')).deployments);
    expect(shown.deployments[0]).toEqual(changed.deployment);
    expect(await cli('agents', 'show', 'spark')).toMatch(/deployments +127\.0\.0\.1:9000, TLS, generation 1, weight 1/);
    expect((await run(['export', '-', ...at])).stdout).toContain('"endpoint":"127.0.0.1:9000"');

    expect(await cli('deployments', 'remove', 'spark', id, '--dry-run')).toContain('Would remove: 127.0.0.1:9000');
    expect((await json('deployments', 'list', 'spark')).deployments).toHaveLength(2);
    expect((await json('deployments', 'remove', 'spark', id)).deployment.id).toBe(id);
    expect((await json('deployments', 'list', 'spark')).deployments).toHaveLength(1);
    for (const [args, message] of [
      [['deployments', 'remove', 'spark', id], /has no deployment/],
      [['deployments', 'list', 'nobody'], /There is no agent "nobody"/],
      [['deployments', 'add', 'spark', 'localhost:8001', '--generation', '2'], /input\.endpoint: the agent has/],
      [['deployments', 'add', 'spark', 'http://x'], /host:port/],
      [['deployments', 'drain', id], /There is no deployment/],
    ] as const) {
      const { code, stdout, stderr } = await run([...args, ...at]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(message);
    }
  });
});
