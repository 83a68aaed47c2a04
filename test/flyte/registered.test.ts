import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelCredentials, Client, credentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { SNAPSHOT_TIMINGS } from '../../src/flyte/snapshot.ts';
import { HealthClient } from '../../src/protocol/flyte/generated/grpc/health/v1/health.ts';
import { data, startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS } from '../support/database.ts';
import { LONG, SOON } from '../support/soon.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { selfSigned } from '../upstream/egress-certificate.ts';
import { callReflected, reflectedServices } from './support/reflected.ts';
import { type Registered, servingDeployment, startRegistered } from './support/registered.ts';
import { createRequest } from './support/routed.ts';

const cleanup = afterTheTest();

describe('an agent that is registered by GraphQL', () => {
  it('is in the next ListAgents within a second, though its deployment is down or it has none', async () => {
    // What is told is read at once; what is not would be read long after this test has given up.
    expect(SNAPSHOT_TIMINGS.coalesceMs).toBeLessThan(1_000);
    expect(SNAPSHOT_TIMINGS.refreshMs).toBeGreaterThan(SOON.timeout);
    const server = await startRegistered(cleanup);
    expect(await server.listed()).toEqual([]);
    const id = await server.register('Spark Agent', {
      taskCategories: [{ name: 'spark' }, { name: 'spark', version: 1 }],
    });
    await vi.waitFor(async () => expect(await server.listed()).toEqual(['Spark Agent']), SOON);
    const { agent } = await server.published.metadataService.getAgent({ name: 'Spark Agent' });
    expect(agent).toMatchObject({
      supportedTaskTypes: ['spark'],
      supportedTaskCategories: [{ name: 'spark' }, { name: 'spark', version: 1 }],
    });
    const down = await servingDeployment('down', cleanup);
    down.stop();
    await server.deploy(id, down);
    await server.register('Boto Agent', { isSync: true, taskCategories: [{ name: 'boto' }] });
    await vi.waitFor(async () => expect(await server.listed()).toEqual(['Spark Agent', 'Boto Agent']), SOON);
    expect(await server.listed()).toContain('Spark Agent');
    await server.mutate('setAgentStatus', 'SetAgentStatusInput', { id, status: 'INACTIVE' });
    await vi.waitFor(async () => expect(await server.listed()).toEqual(['Boto Agent']), SOON);
    await server.mutate('deleteAgent', 'DeleteAgentInput', { id });
    await expect(server.published.metadataService.getAgent({ name: 'Spark Agent' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('of another owner is listed unless it is private, when Flyte acts as somebody', async () => {
    // Named as tokens name it: no UUID.
    const flyte = 'flyte-operator';
    const token = await tokenFor(randomUUID());
    const settings = { ...JWT_SETTINGS, FLYTE_PRINCIPAL: flyte };
    const server = await startRegistered(cleanup, settings, {}, token);
    await server.register('Open Agent', { taskCategories: [{ name: 'open' }] });
    await server.register('Hidden Agent', { taskCategories: [{ name: 'hidden' }], visibility: 'PRIVATE' });
    const input = { name: 'Own', executionType: 'FLYTE', flyteName: 'Own Agent', visibility: 'PRIVATE' };
    await data(
      server.url,
      'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }',
      { input: { ...input, taskCategories: [{ name: 'own' }] } },
      await tokenFor(flyte),
    );
    await vi.waitFor(async () => expect(await server.listed()).toEqual(['Open Agent', 'Own Agent']), SOON);
    await expect(server.asyncService.createTask(createRequest({ type: 'hidden' }))).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});

describe('with TLS_CERT', () => {
  it('the port speaks TLS, and no plaintext', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-flyte-tls-'));
    cleanup(() => rmSync(folder, { recursive: true }));
    const { key, cert } = selfSigned(['localhost']);
    const [TLS_KEY, TLS_CERT] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    writeFileSync(TLS_KEY, key);
    writeFileSync(TLS_CERT, cert);
    const app = await startTestApp({ TLS_KEY, TLS_CERT });
    cleanup(() => app.close());
    const health = (secured: ChannelCredentials): Promise<number> => {
      const client = new HealthClient(`localhost:${app.addresses.flyte?.split(':').at(-1)}`, secured);
      return new Promise<number>((resolve, reject) => {
        client.check({ service: '' }, (error, answer) => (error === null ? resolve(answer.status) : reject(error)));
      }).finally(() => client.close());
    };
    expect(await health(credentials.createSsl(Buffer.from(cert)))).toBe(1);
    await expect(health(credentials.createInsecure())).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe.each(DRIVERS)('with the database stopped (%s)', (kind) => {
  it('ListAgents, GetTask and health answer as before', async () => {
    const { settings, stop } = await stoppable(kind);
    const a = await servingDeployment('a', cleanup);
    const server = await startRegistered(cleanup, settings);
    await server.deploy(await server.register('Spark Agent', { taskCategories: [{ name: 'spark' }] }), a);
    const { resourceMeta } = await vi.waitFor(() => server.asyncService.createTask(createRequest()), SOON);

    await stop(server);
    await expect(server.app.database.query('select 1')).rejects.toThrow();
    // Makes it look for changes, which it cannot.
    server.app.core.events.publish('agent', {
      agentId: randomUUID(),
      handle: 'x',
      action: 'updated',
      revision: 2,
      owner: randomUUID(),
      visibility: 'public',
      at: new Date().toISOString(),
    });
    for (let at = 0; at < 20; at++) {
      expect(await server.listed()).toEqual(['Spark Agent']);
      const { resource } = await server.asyncService.getTask({ resourceMeta, taskCategory: { name: 'spark' } });
      expect(resource?.message).toBe('from a');
    }
    const health = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    cleanup(() => health.close());
    const watch = health.watch({ service: 'flyteidl.service.AgentMetadataService' });
    watch.on('error', () => undefined);
    expect((await once(watch, 'data'))[0]).toMatchObject({ status: 1 });
    watch.cancel();
  });
});

/** A database that a test takes away from under a server. */
async function stoppable(kind: (typeof DRIVERS)[number]) {
  if (kind === 'pglite') return { settings: {}, stop: ({ app }: Registered) => app.database.close() };
  const { url, drop } = await createTestDatabase(kind);
  cleanup(drop);
  const proxy = await startTcpProxy(new URL(url), 5432);
  cleanup(() => proxy.close());
  const settings = { DATABASE_URL: proxy.url, SECRET_KEY: 'a secret key of the tests, long enough' };
  return { settings, stop: () => proxy.cut() };
}

describe('GraphQL and gRPC', () => {
  const NAMES = ['spark', 'boto', 'slurm'];
  const category = fc.record({ name: fc.constantFrom(...NAMES), version: fc.integer({ min: 0, max: 2 }) });
  const categories = fc.uniqueArray(category, { maxLength: 3, selector: ({ name, version }) => `${name} ${version}` });
  const which = fc.nat({ max: 7 });
  /** Changes of agents as people make them; those that the registry refuses are part of it. */
  const change = fc.oneof(
    fc.record({ kind: fc.constant('register' as const), isSync: fc.boolean(), categories }),
    fc.record({ kind: fc.constant('categories' as const), which, categories }),
    fc.record({ kind: fc.constant('sync' as const), which, isSync: fc.boolean() }),
    fc.record({ kind: fc.constant('rename' as const), which, name: fc.constantFrom('A', 'B', 'Ä', 'z', '1') }),
    fc.record({
      kind: fc.constant('status' as const),
      which,
      status: fc.constantFrom('ACTIVE', 'INACTIVE', 'DEPRECATED'),
    }),
    fc.record({ kind: fc.constant('deploy' as const), which, port: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('delete' as const), which }),
  );
  type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

  const PREVIEW = `{ flytePreview { agents { name isSync supportedTaskTypes categories { name version } } } }`;
  const AGENTS = `{ agents(first: 200, filter: { hasTaskCategories: true, status: [ACTIVE, DEPRECATED] }) { nodes { flyteName isSync taskCategories { name version } } } }`;
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

  async function apply(server: Registered, ids: string[], each: Change, made: number): Promise<void> {
    const id = 'which' in each ? ids[each.which % Math.max(1, ids.length)] : undefined;
    if (id === undefined && each.kind !== 'register') return;
    if (each.kind === 'register')
      ids.push(await server.register(`Agent ${made}`, { isSync: each.isSync, taskCategories: each.categories }));
    else if (each.kind === 'categories')
      await server.mutate('setTaskCategories', 'SetTaskCategoriesInput', {
        agentId: id,
        taskCategories: each.categories,
      });
    else if (each.kind === 'sync') await server.mutate('updateAgent', 'UpdateAgentInput', { id, isSync: each.isSync });
    else if (each.kind === 'rename')
      await server.mutate('updateAgent', 'UpdateAgentInput', { id, flyteName: `${each.name} ${made}` });
    else if (each.kind === 'status')
      await server.mutate('setAgentStatus', 'SetAgentStatusInput', { id, status: each.status });
    else if (each.kind === 'deploy')
      await server.mutate('registerDeployment', 'RegisterDeploymentInput', {
        agentId: id,
        endpoint: `127.0.0.1:${each.port}`,
      });
    else {
      await server.mutate('deleteAgent', 'DeleteAgentInput', { id });
      ids.splice(ids.indexOf(id!), 1);
    }
  }

  it('tell the same of the agents after each change, whatever the changes', LONG, async () => {
    const server = await startRegistered(cleanup);
    let made = 0;
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 15 }), async (run) => {
        const ids: string[] = [];
        for (const each of run) {
          made += 1;
          // What the registry refuses (a category that is taken, an endpoint twice) must leave both as they were.
          await apply(server, ids, each, made).then(
            () => (changes += 1),
            (error: Error) => expect(error.message).toMatch(/ALREADY_EXISTS/),
          );
          const { agents: nodes } = await server.query(AGENTS);
          const expected = nodes.nodes.map((n: any) => ({
            name: n.flyteName,
            isSync: n.isSync,
            categories: n.taskCategories,
          }));
          await vi.waitFor(async () => {
            const { agents = [] } = await server.published.metadataService.listAgents({});
            const told = (agents ?? []).map((agent) => ({
              name: agent.name ?? '',
              isSync: agent.isSync ?? false,
              categories: (agent.supportedTaskCategories ?? []).map(({ name, version }) => ({
                name,
                version: version ?? 0,
              })),
              types: agent.supportedTaskTypes ?? [],
            }));
            const without = told.map(({ types: _, ...rest }) => rest);
            expect(without.toSorted(byName)).toEqual(expected.toSorted(byName));
            const { flytePreview } = await server.query(PREVIEW);
            const previewed = flytePreview.agents.map(({ supportedTaskTypes: types, ...rest }: any) => ({
              ...rest,
              types,
            }));
            expect(told).toEqual(previewed);
          }, SOON);
        }
        for (const id of ids) await server.mutate('deleteAgent', 'DeleteAgentInput', { id });
      }),
      { numRuns: 8 },
    );
    expect(changes).toBeGreaterThan(20);
  });
});

describe('a client that knows nothing but reflection', () => {
  it('lists, describes and calls everything', async () => {
    const a = await servingDeployment('a', cleanup);
    a.getTaskLogs = (call) => {
      call.write(Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0x74]));
      call.end();
    };
    const server = await startRegistered(cleanup);
    await server.deploy(await server.register('Spark Agent', { taskCategories: [{ name: 'spark' }] }), a);
    const boto = await server.register('Boto Agent', { isSync: true, taskCategories: [{ name: 'boto' }] });
    await server.deploy(boto, a);
    await server.deploy(boto, a, { generation: 2 });
    await vi.waitFor(async () => expect(await server.listed()).toHaveLength(2), SOON);

    const services = await reflectedServices(server.port);
    const methodOf = (service: string, name: string) => {
      const found = services.find(({ typeName }) => typeName === service)?.methods.find((each) => each.name === name);
      if (found === undefined) throw new Error(`${service}/${name} is not described`);
      return found;
    };
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    cleanup(() => client.close());
    const call = (service: string, name: string, request: object = {}) =>
      callReflected(client, methodOf(`flyteidl.service.${service}`, name), request);

    const list = await call('AgentMetadataService', 'ListAgents');
    expect(list.answer.agents.map((each: { name: string }) => each.name)).toEqual(['Spark Agent', 'Boto Agent']);
    const template = { type: 'spark' };
    const created = await vi.waitFor(async () => {
      const answer = await call('AsyncAgentService', 'CreateTask', { template });
      expect(answer.details).toBe('OK');
      return answer;
    }, SOON);
    const job = { resourceMeta: created.answer.resourceMeta, taskCategory: { name: 'spark' } };
    expect((await call('AsyncAgentService', 'GetTask', job)).answer.resource.message).toBe('from a');
    expect((await call('AsyncAgentService', 'GetTaskMetrics', job)).answer.results[0].metric).toBe('cpu');
    expect((await call('AsyncAgentService', 'GetTaskLogs', job)).answer.part.value.token).toBe('t');
    expect((await call('AsyncAgentService', 'DeleteTask', job)).code).toBe(status.OK);
    const part = { case: 'header', value: { template: { type: 'boto' } } };
    const sync = await call('SyncAgentService', 'ExecuteTaskSync', { part });
    expect(sync.answer.res.value.resource.message).toBe('from a');

    // Everything else at least knows its method, and says what is wrong with an empty request.
    for (const service of services)
      for (const method of service.methods) {
        const { code, details } = await callReflected(client, method);
        expect([status.UNIMPLEMENTED, status.INTERNAL, status.UNKNOWN], `${method.name}: ${details}`).not.toContain(
          code,
        );
      }
  });
});
