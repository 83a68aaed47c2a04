import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { NIL_SUBJECT, SCOPES } from '../../src/auth/principal.ts';
import { Denials } from '../../src/registry/audit/denials.ts';
import { post, rpc } from '../a2a/support.ts';
import { ask, data, startTestApp } from '../support/app.ts';
import { createTestDatabase, DRIVERS, describeOnDrivers, type TestDatabase } from '../support/database.ts';
import { anAdmin, registryOn, someone } from '../support/registry.ts';
import { JWT_SETTINGS, tokenFor } from '../support/tokens.ts';
import { startWebhook } from '../support/webhook.ts';
import { echoOf, grpcClient } from './doors.ts';

const OWNER = '11111111-1111-4111-8111-111111111111';
const STRANGER = '22222222-2222-4222-8222-222222222222';
const ADMIN = '33333333-3333-4333-8333-333333333333';
const LOG = `query($filter: AuditFilterInput, $first: Int, $after: String) { auditLog(filter: $filter, first: $first, after: $after) {
  nodes { id at actor scopes outcome operation targetType targetId code address userAgent requestId count changes { field before after } }
  pageInfo { hasNextPage endCursor } } }`;
const SEND = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { task { id state } } }';

describe.each(DRIVERS)('the audit log (%s)', (kind) => {
  let app: App;
  let url: string;
  let drop: () => Promise<void>;
  let owner: string;
  let stranger: string;
  let admin: string;

  beforeAll(async () => {
    const database = await createTestDatabase(kind);
    drop = () => database.drop();
    app = await startTestApp({
      ...JWT_SETTINGS,
      DATABASE_URL: database.url,
      SECRET_KEY: 'a secret key of the tests, long enough',
      EGRESS_ALLOW: '127.0.0.1/32',
    });
    url = app.addresses.url;
    [owner, stranger, admin] = [await tokenFor(OWNER), await tokenFor(STRANGER), await tokenFor(ADMIN, SCOPES)];
  });
  afterAll(async () => {
    await app?.close();
    await drop?.();
  });

  const log = async (filter: object): Promise<any[]> =>
    (await data(url, LOG, { filter, first: 200 }, admin))['auditLog'].nodes;
  /** A request whose facts are known. */
  const asked = async (token: string | undefined, query: string, variables: object, requestId: string) => {
    const response = await fetch(`${url}graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'the tests',
        'x-request-id': requestId,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as { data: any; errors?: any[] };
  };

  test('tells who changed an agent, when, from where, and what; never a secret', async () => {
    const register = 'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { id } }';
    const input = {
      name: 'Watched',
      executionType: 'API',
      url: 'http://127.0.0.1:9/',
      authentication: { type: 'BEARER', token: 'planted-secret-1' },
    };
    const before = Date.now();
    const made = await asked(owner, register, { input }, 'request-1');
    const id = made.data.registerAgent.id;
    const update = 'mutation($input: UpdateAgentInput!) { updateAgent(input: $input) { id } }';
    const authentication = { type: 'BEARER', token: 'planted-secret-2' };
    await asked(owner, update, { input: { id, name: 'Renamed', authentication } }, 'request-2');
    await asked(owner, update, { input: { id, url: 'http://127.0.0.1:10/' } }, 'request-3');
    await asked(admin, 'mutation($id: ID!) { deleteAgent(input: { id: $id }) { id } }', { id }, 'request-4');

    const lines = await log({ targetId: id });
    expect(lines.map((line) => [line.operation, line.actor, line.requestId])).toEqual([
      ['agent.deleted', ADMIN, 'request-4'],
      ['agent.updated', OWNER, 'request-3'],
      ['agent.updated', OWNER, 'request-2'],
      ['agent.registered', OWNER, 'request-1'],
    ]);
    const [, moved, changed, registered] = lines;
    expect(registered).toMatchObject({
      outcome: 'ALLOWED',
      targetType: 'agent',
      address: '127.0.0.1',
      userAgent: 'the tests',
      code: null,
      count: 1,
    });
    expect(registered.scopes).toContain('registry:write');
    expect(Date.parse(registered.at)).toBeGreaterThanOrEqual(before - 1_000);
    expect(registered.changes).toContainEqual({ field: 'name', before: null, after: 'Watched' });
    expect(registered.changes).toContainEqual({ field: 'authenticationConfig', before: null, after: '(set)' });
    expect(changed.changes).toEqual([
      { field: 'name', before: 'Watched', after: 'Renamed' },
      { field: 'authenticationConfig', before: '(set)', after: '(changed)' },
    ]);
    expect(moved.changes).toContainEqual({ field: 'authenticationConfig', before: '(set)', after: '(removed)' });
    expect(JSON.stringify(lines)).not.toMatch(/planted-secret/);
  });

  test('tells changes of skills, categories, deployments and providers', async () => {
    const id = await echoOf(app, owner);
    const run = async (query: string, variables: object) => await data<any>(url, query, variables, owner);
    await run('mutation($input: AddSkillInput!) { addSkill(input: $input) { id } }', {
      input: { agentId: id, skill: { key: 'read', name: 'Read', description: 'Reads', tags: ['x'] } },
    });
    const operations = (await log({ targetId: id })).map((line) => line.operation);
    expect(operations).toEqual(['agent.skillAdded', 'agent.registered']);

    const { registerProvider } = await run(
      'mutation($input: ProviderInput!) { registerProvider(input: $input) { id } }',
      {
        input: { name: `Watched ${kind}`, url: 'https://example.org/' },
      },
    );
    const provider = registerProvider.id;
    await run('mutation($input: UpdateProviderInput!) { updateProvider(input: $input) { id } }', {
      input: { id: provider, name: `Renamed ${kind}` },
    });
    await run('mutation($input: DeleteProviderInput!) { deleteProvider(input: $input) { id } }', {
      input: { id: provider },
    });
    expect((await log({ targetType: 'provider', targetId: provider })).map((l) => [l.operation, l.changes])).toEqual([
      [
        'provider.deleted',
        [
          { field: 'name', before: `Renamed ${kind}`, after: null },
          { field: 'url', before: 'https://example.org/', after: null },
        ],
      ],
      ['provider.updated', [{ field: 'name', before: `Watched ${kind}`, after: `Renamed ${kind}` }]],
      [
        'provider.registered',
        [
          { field: 'name', before: null, after: `Watched ${kind}` },
          { field: 'url', before: null, after: 'https://example.org/' },
        ],
      ],
    ]);
  });

  test('tells of webhooks without their secrets, and of tasks that admins cancel', async () => {
    const agentId = await echoOf(app, owner);
    const { sendMessage } = await data(url, SEND, { input: { agentId, text: 'ask: more?' } }, owner);
    const taskId = sendMessage.task.id;
    const hook = await startWebhook();
    try {
      const create =
        'mutation($input: CreatePushNotificationConfigInput!) { createPushNotificationConfig(input: $input) { key } }';
      const input = {
        taskId,
        key: 'mine',
        url: `${hook.url}planted-path`,
        token: 'planted-token',
        authentication: { scheme: 'Basic', credentials: 'planted-credentials' },
      };
      await data(url, create, { input }, owner);
      const remove =
        'mutation($input: DeletePushNotificationConfigInput!) { deletePushNotificationConfig(input: $input) { id } }';
      for (let i = 0; i < 2; i++) await data(url, remove, { input: { taskId, key: 'mine' } }, owner);
      await data(url, 'mutation($id: ID!) { cancelTask(input: { id: $id }) { state } }', { id: taskId }, admin);
      const lines = await log({ targetType: 'task', targetId: taskId });
      const shown = { origin: new URL(hook.url).origin, scheme: 'Basic', token: '(set)', credentials: '(set)' };
      expect(lines.map(({ operation, actor, changes }) => [operation, actor, changes])).toEqual([
        ['task.cancelAsked', ADMIN, [{ field: 'state', before: 'input-required', after: 'canceled' }]],
        ['pushConfig.deleted', OWNER, [{ field: 'pushConfigs.mine', before: shown, after: null }]],
        ['pushConfig.registered', OWNER, [{ field: 'pushConfigs.mine', before: null, after: shown }]],
      ]);
      expect(JSON.stringify(lines)).not.toContain('planted');
    } finally {
      await hook.close();
    }
    // One's own is no business of the log.
    const mine = await data(url, SEND, { input: { agentId, text: 'ask: more?' } }, owner);
    const own = mine['sendMessage'].task.id;
    await data(url, 'mutation($id: ID!) { cancelTask(input: { id: $id }) { state } }', { id: own }, owner);
    expect(await log({ targetId: own })).toEqual([]);
  });

  test('tells what was refused, over every door, counted by minute', async () => {
    const agentId = await echoOf(app, owner);
    const rename = 'mutation($id: ID!) { updateAgent(input: { id: $id, name: "Mine now" }) { id } }';
    for (let i = 0; i < 3; i++) {
      const { errors } = await asked(stranger, rename, { id: agentId }, `refused-${i}`);
      expect(errors![0].extensions.code).toBe('FORBIDDEN');
    }
    const changes = await log({ outcome: 'DENIED', targetId: agentId });
    // The minute may have turned in between.
    expect(changes.reduce((sum, line) => sum + line.count, 0)).toBe(3);
    expect(changes.length).toBeLessThanOrEqual(2);
    expect(changes.at(-1)).toMatchObject({
      actor: STRANGER,
      operation: 'change',
      targetType: 'agent',
      code: 'FORBIDDEN',
      address: '127.0.0.1',
      userAgent: 'the tests',
      requestId: 'refused-0',
      changes: [],
    });

    const reader = await tokenFor(STRANGER, ['registry:read']);
    await asked(reader, SEND, { input: { agentId, text: 'hi' } }, 'no-scope');
    const v1 = { authorization: `Bearer ${reader}`, 'a2a-version': '1.0' };
    expect((await post(`${url}a2a/${agentId}`, rpc('ListTasks', {}), v1)).status).toBe(403);
    const grpc = grpcClient(app);
    await grpc.call('ListTasks', { tenant: agentId }, reader).catch(() => undefined);
    grpc.close();
    await ask(url, '{ agents { nodes { id } } }', {}, 'bad.token.planted');
    const refused = await log({ outcome: 'DENIED', actor: STRANGER });
    expect(refused.filter((line) => line.operation === 'tasks:send')).toMatchObject([
      { count: 1, requestId: 'no-scope' },
    ]);
    const listed = refused.filter((line) => line.operation === 'tasks:read');
    expect(listed.reduce((sum, line) => sum + line.count, 0)).toBe(2);
    const [bad] = await log({ outcome: 'DENIED', actor: NIL_SUBJECT });
    expect(bad).toMatchObject({ operation: 'authenticate', code: 'UNAUTHENTICATED', scopes: [], address: '127.0.0.1' });
    expect(JSON.stringify(bad)).not.toContain('planted');
  });

  test('is read by admins alone, in pages, by filter', async () => {
    for (const [token, code] of [
      [undefined, 'UNAUTHENTICATED'],
      [owner, 'FORBIDDEN'],
    ] as const)
      expect((await ask(url, LOG, {}, token)).errors![0]!.extensions['code']).toBe(code);

    const all = await log({});
    expect(all.length).toBeGreaterThan(5);
    expect(all.map((line) => line.id)).toEqual(
      all
        .map((line) => line.id)
        .toSorted()
        .toReversed(),
    );
    const paged: any[] = [];
    let after: string | null = null;
    // Asking for the log changes nothing in it: the pages are those of the list.
    do {
      const { auditLog }: any = await data(url, LOG, { first: 3, after }, admin);
      paged.push(...auditLog.nodes);
      after = auditLog.pageInfo.hasNextPage ? auditLog.pageInfo.endCursor : null;
    } while (after !== null);
    expect(paged.map((line) => line.id)).toEqual(all.map((line) => line.id));

    const byOwner = await log({ actor: OWNER, outcome: 'ALLOWED' });
    expect(byOwner).toEqual(all.filter((line) => line.actor === OWNER && line.outcome === 'ALLOWED'));
    const moment = all[3].at;
    expect(await log({ since: moment })).toEqual(all.filter((line) => line.at >= moment));
    expect(await log({ until: moment })).toEqual(all.filter((line) => line.at < moment));
    expect((await ask(url, LOG, { filter: { actor: 'nobody' } }, admin)).errors![0]!.extensions['code']).toBe(
      'INVALID_INPUT',
    );
    expect((await ask(url, LOG, { after: 'x' }, admin)).errors![0]!.extensions['code']).toBe('INVALID_INPUT');
  });
});

describeOnDrivers('audit lines', (open) => {
  test('are there if and only if the change is', async () => {
    const made = registryOn(await open());
    const owner = someone();
    await made.agent(owner, { handle: 'taken' });
    await expect(made.agent(owner, { handle: 'taken' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const { items } = await made.registry.auditLog(anAdmin());
    expect(items.map(({ item }) => item.operation)).toEqual(['agent.registered']);
    await made.close();
  });

  test('of refusals have a bound for each minute, and their number is kept', async () => {
    const database = await open();
    const made = registryOn(database);
    const denials = new Denials(database.query, made.context.log, () => 60_000_000);
    const caller = someone();
    for (let i = 0; i < 2_000; i++) {
      const origin = { address: `192.0.2.${i % 200}`, requestId: `r${i}`, door: 'http' } as const;
      denials.add(
        { ...caller, origin },
        { code: 'FORBIDDEN', operation: 'change', targetType: 'agent', targetId: `${i}` },
      );
      if (i % 500 === 0) await denials.flush();
    }
    await denials.flush();
    const rows = await database.query<{ lines: number; total: number }>(
      'select count(*)::int as lines, sum(count)::int as total from audit_entry',
    );
    expect(rows[0]).toEqual({ lines: 501, total: 2_000 });
    await made.close();
  });

  test('of one request are one refusal; another one of that minute adds to it', async () => {
    const database = await open();
    const made = registryOn(database);
    const denials = new Denials(database.query, made.context.log, () => 60_000_000);
    const caller = someone();
    for (const requestId of ['a', 'a', 'b'])
      denials.add(
        { ...caller, origin: { address: '192.0.2.1', door: 'http', requestId } },
        { code: 'FORBIDDEN', operation: 'admin' },
      );
    await denials.flush();
    denials.add(
      { ...caller, origin: { address: '192.0.2.1', door: 'http', requestId: 'c' } },
      { code: 'FORBIDDEN', operation: 'admin' },
    );
    await denials.flush();
    const { items } = await made.registry.auditLog(anAdmin());
    expect(items.map(({ item }) => [item.count, item.requestId])).toEqual([[3, 'a']]);
    await made.close();
  });

  test('go when they are old, and no others', async () => {
    const database = await open();
    const made = registryOn(database);
    const owner = someone();
    await made.agent(owner);
    await made.agent(owner);
    await old(database, 401);
    const removed = await made.registry.removeOldAudit(400 * 86_400_000, new AbortController().signal);
    expect(removed).toBe(1);
    expect((await made.registry.auditLog(anAdmin())).items).toHaveLength(2);
    await made.close();
  });

  /** A copy of a line, so many days old. */
  const old = (database: TestDatabase, days: number) =>
    database.query(
      `insert into audit_entry (id, at, actor, outcome, operation) select gen_random_uuid(), now() - make_interval(days => $1),
       actor, outcome, operation from audit_entry limit 1`,
      [days],
    );

  test('stay as they were written, whatever is asked of the database', async () => {
    const database = await open();
    const made = registryOn(database);
    const denials = new Denials(database.query, made.context.log);
    await made.agent(someone());
    denials.add(someone(), { code: 'FORBIDDEN', operation: 'admin' });
    await denials.flush();
    await old(database, 500);
    const lines = () => database.query('select * from audit_entry order by id');
    const before = await lines();
    expect(before).toHaveLength(3);
    for (const attempt of [
      `update audit_entry set actor = gen_random_uuid()`,
      `update audit_entry set count = count + 1 where outcome = 'allowed'`,
      `update audit_entry set count = count - 1 where outcome = 'denied'`,
      `update audit_entry set count = count + 1, address = null, at = at - interval '1 day' where outcome = 'denied'`,
      'delete from audit_entry',
      `delete from audit_entry where at < now() - interval '400 days'`,
      'truncate audit_entry',
      'truncate audit_entry cascade',
    ])
      await expect(database.query(attempt), attempt).rejects.toThrow(/audit_entry is append-only/);
    await expect(database.query(`select expire_audit(now() + interval '1 day', 10)`)).rejects.toThrow(/half a day/);
    expect(await lines()).toEqual(before);
    // What the way out has opened is closed again after it.
    expect(await made.registry.removeOldAudit(400 * 86_400_000, new AbortController().signal)).toBe(1);
    await expect(database.query('delete from audit_entry')).rejects.toThrow(/append-only/);
    expect(await lines()).toHaveLength(2);
    await made.close();
  });
});
