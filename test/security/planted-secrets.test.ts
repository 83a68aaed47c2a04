import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Client, credentials } from '@grpc/grpc-js';
import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { mintToken } from '../../src/auth/authenticator.ts';
import { SCOPES } from '../../src/auth/principal.ts';
import { openDatabase } from '../../src/database/database.ts';
import { spawnCli } from '../cli/support.ts';
import { admin, core } from '../flyte/support/published.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { createTestDatabase, DRIVERS } from '../support/database.ts';
import { FakeFloat } from '../support/fake-float/fake-float.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { LONG } from '../support/soon.ts';
import { A2A_DOORS, callGrpc, refusalText } from './support/a2a-doors.ts';
import { type Planted, plant, secretsIn, spellings } from './support/planted.ts';

const cleanup = afterTheTest();

/** A server on loopback that keeps everything that it is sent. */
async function startSink(answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void) {
  const received: string[] = [];
  const server: Server = createServer((request, response) => {
    void buffer(request).then((body) => {
      received.push(`${request.url} ${JSON.stringify(request.headers)} ${body.toString('latin1')}`);
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

/** Says back what it was sent, as careless servers do with what they do not like. */
const parrot =
  (status: number) =>
  (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    response
      .writeHead(status, { 'content-type': 'application/json', 'x-parrot': String(request.headers.authorization) })
      .end(JSON.stringify({ error: { message: `no: ${JSON.stringify(request.headers)} ${request.url} ${body}` } }));
  };

describe.each(DRIVERS)('secrets (%s)', (kind) => {
  test('are in no output of a full run, and in no table', LONG, async () => {
    const names = ['bearer', 'api-key', 'basic', 'oauth', 'oauth-token', 'push-token', 'push-credentials'];
    const secrets = Object.fromEntries(
      [...names, 'auth-secret-of-the-server', 'secret-key-of-the-server', 'database', 'rejected'].map((name) => [
        name,
        plant(name),
      ]),
    ) as Record<string, Planted>;
    const of = (name: string): string => secrets[name]!.value;
    const auth = { AUTH_SECRET: of('auth-secret-of-the-server') };
    const claims = { subject: randomUUID(), scopes: SCOPES };
    const jwt = await mintToken(auth, { ...claims, expiresInSeconds: 600 });
    const expired = await mintToken(auth, { ...claims, expiresInSeconds: -600 });
    const forged = await mintToken(
      { AUTH_SECRET: 'another secret, of somebody else' },
      { ...claims, expiresInSeconds: 60 },
    );
    const tokens: Planted[] = [jwt, expired, forged].map((token, i) => ({
      name: `JWT ${i}`,
      value: token.split('.')[2]!,
    }));

    // Everything that may be seen, by where it came from.
    const seen = new Map<string, string[]>();
    const see = (where: string, text: string): void => void seen.set(where, [...(seen.get(where) ?? []), text]);

    const upstream = await startSink((request, response, body) => {
      if (request.url!.startsWith('/oauth/token')) {
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ access_token: of('oauth-token'), token_type: 'Bearer', expires_in: 600 }));
      } else if (request.url!.startsWith('/works')) {
        response.setHeader('content-type', 'application/json').end('{"text":"done"}');
      } else parrot(Number(/\d+/.exec(request.url!)?.[0] ?? 500))(request, response, body);
    });
    const hooks = await startSink(parrot(503));
    const collector = await startSink((_request, response) => response.writeHead(200).end('{}'));
    const float = new FakeFloat();
    cleanup(() => float.remove());
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-planted-'));
    cleanup(() => rmSync(folder, { recursive: true, force: true }));
    const { url: databaseUrl, drop } = await createTestDatabase(kind);
    if (kind === 'postgres') cleanup(drop);
    const withPassword = kind === 'postgres' ? new URL(databaseUrl) : undefined;
    if (withPassword !== undefined) withPassword.password = encodeURIComponent(of('database'));

    const server: ServerProcess = startServerProcess({
      LOG_LEVEL: 'trace',
      AUTH_MODE: 'jwt',
      ...auth,
      SECRET_KEY: of('secret-key-of-the-server'),
      FLYTE_PRINCIPAL: claims.subject,
      EGRESS_ALLOW: '127.0.0.1/32',
      DATA_DIR: folder,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      MMCLOUD_FLOAT: float.program,
      MMCLOUD_ADDRESS: float.address,
      MMCLOUD_USERNAME: float.username,
      MMCLOUD_PASSWORD: float.password,
      ...(withPassword === undefined ? {} : { DATABASE_URL: withPassword.href }),
    });
    cleanup(() => server.stop());
    const url = await server.url();
    const grpcAddress = /A2A gRPC\s+(\S+)/.exec(server.stdout())![1]!;
    const flyteAddress = /Flyte\s+(\S+:\d+)/.exec(server.stdout())![1]!;

    const http = async (path: string, init: RequestInit = {}): Promise<string> => {
      const response = await fetch(new URL(path, url), init);
      const text = await response.text();
      see('HTTP answers', `${response.status} ${JSON.stringify([...response.headers])} ${text}`);
      return text;
    };
    const graph = async (query: string, variables: object = {}, token: string | undefined = jwt): Promise<any> =>
      JSON.parse(
        await http('graphql', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify({ query, variables }),
        }),
      );
    const mutate = async (field: string, type: string, input: object, shown = 'id') =>
      (await graph(`mutation($input: ${type}!) { ${field}(input: $input) { ${shown} } }`, { input })).data?.[field];

    const authentications: Record<string, object> = {
      bearer: { type: 'BEARER', token: of('bearer') },
      header: { type: 'API_KEY', name: 'X-Key', value: of('api-key') },
      query: { type: 'API_KEY', in: 'query', name: 'key', value: of('api-key') },
      basic: { type: 'BASIC', username: 'planter', password: of('basic') },
      oauth: {
        type: 'OAUTH2',
        tokenUrl: `${upstream.url}oauth/token`,
        clientId: 'planter',
        clientSecret: of('oauth'),
      },
      refused: { type: 'OAUTH2', tokenUrl: `${upstream.url}401`, clientId: 'planter', clientSecret: of('oauth') },
    };
    const agents: string[] = [];
    const tasks: string[] = [];
    for (const [name, authentication] of Object.entries(authentications))
      for (const path of ['works', '500', '401', '302']) {
        const agent = await mutate('registerAgent', 'RegisterAgentInput', {
          name: `${name} ${path}`,
          executionType: 'API',
          url: `${upstream.url}${path}`,
          authentication,
          visibility: 'PUBLIC',
        });
        agents.push(agent.id);
        const { task } = await mutate(
          'sendMessage',
          'SendMessageInput',
          { agentId: agent.id, text: 'work' },
          'task { id state statusMessage { parts { text } } artifacts { parts { text data } } }',
        );
        tasks.push(task.id);
        if (path === 'works' && name !== 'refused') expect(task.state, name).toBe('COMPLETED');
      }
    // The control: the secrets were used, so that there was something to spill.
    const sent = upstream.received.join('\n');
    for (const name of ['bearer', 'api-key', 'basic', 'oauth', 'oauth-token'])
      expect(secretsIn([secrets[name]!], sent), name).not.toEqual([]);

    // Push that fails, with an answer that says it all back.
    const echo = (await graph('{ agent(handle: "echo") { id } }')).data.agent.id;
    const { task } = await mutate(
      'sendMessage',
      'SendMessageInput',
      { agentId: echo, text: 'ask: more?' },
      'task { id }',
    );
    for (const scheme of ['Bearer', 'Basic'])
      await mutate('createPushNotificationConfig', 'CreatePushNotificationConfigInput', {
        taskId: task.id,
        key: scheme,
        url: `${hooks.url}${scheme}`,
        token: of('push-token'),
        authentication: { scheme, credentials: of('push-credentials') },
      });
    await mutate('sendMessage', 'SendMessageInput', { agentId: echo, taskId: task.id, text: 'more' }, 'task { id }');
    await expect
      .poll(async () =>
        (
          await graph(`{ task(id: "${task.id}") { pushNotificationConfigs { key deliveries { error status } } } }`)
        ).data.task.pushNotificationConfigs.every((each: any) => each.deliveries.length > 0),
      )
      .toBe(true);
    expect(secretsIn([secrets['push-token']!], hooks.received.join('\n'))).not.toEqual([]);
    expect(secretsIn([secrets['push-credentials']!], hooks.received.join('\n'))).not.toEqual([]);

    // Changes, wrong input beside a secret, and a changed origin, for history and audit.
    await mutate('updateAgent', 'UpdateAgentInput', { id: agents[0], authentication: authentications['basic'] });
    await mutate('updateAgent', 'UpdateAgentInput', { id: agents[0], url: 'http://127.0.0.1:9/' });
    const wrong = {
      name: '',
      executionType: 'API',
      url: 'no url',
      authentication: { type: 'BEARER', token: of('rejected') },
    };
    await mutate('registerAgent', 'RegisterAgentInput', wrong);
    await mutate('registerAgent', 'RegisterAgentInput', {
      name: 'Two kinds',
      executionType: 'API',
      authentication: { type: 'BEARER', token: of('rejected'), password: of('rejected') },
    });
    await mutate('registerAgent', 'RegisterAgentInput', {
      name: 'Same handle',
      handle: 'echo',
      executionType: 'API',
      authentication: { type: 'BEARER', token: of('rejected') },
    });
    await mutate('updateAgent', 'UpdateAgentInput', {
      id: randomUUID(),
      authentication: { type: 'BEARER', token: of('rejected') },
    });

    // Every door, with tokens that hold, and with those that do not.
    for (const token of [jwt, expired, forged]) {
      await graph('{ agents { nodes { id } } }', {}, token);
      await graph('{ agents { nodes { id ', {}, token);
      for (const path of ['metrics', 'health/ready', `agents/${echo}/.well-known/agent-card.json`, 'nothing/here'])
        await http(path, { headers: { authorization: `Bearer ${token}` } });
      {
        const client = new Client(grpcAddress, credentials.createInsecure());
        cleanup(() => client.close());
        for (const door of A2A_DOORS.filter(
          (each) =>
            each.offers('GetTaskPushNotificationConfig') && each.offers('GetTask') && !each.name.includes('route 2'),
        )) {
          for (const taskId of [tasks[0]!, randomUUID()])
            see(
              'A2A answers',
              (await door.call({ url, a2aGrpc: client }, token, agents[0]!, 'GetTask', { id: taskId })).raw,
            );
          const { raw } = await door.call({ url, a2aGrpc: client }, token, task.id, 'GetTaskPushNotificationConfig', {
            taskId: task.id,
            id: 'Bearer',
          });
          see('A2A answers', raw);
        }
        const broken = await callGrpc(client, '/lf.a2a.v1.A2AService/GetTask', false, Buffer.from('no message'), token);
        see('A2A answers', refusalText(broken.error!));
      }
      await http(`a2a/${echo}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {',
      });
      const socket = createClient({
        url: `${url.replace('http', 'ws')}graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: `Bearer ${token}` },
      });
      const read = async (): Promise<unknown> => {
        for await (const event of socket.iterate({
          query: `subscription { taskEvents(taskId: "${tasks[0]}") { task { id } } }`,
        }))
          return event;
        return undefined;
      };
      see(
        'socket',
        JSON.stringify(await read().catch((closed: unknown) => String((closed as CloseEvent).reason ?? closed))),
      );
      await socket.dispose();
    }

    // The history, the audit log where there is one, and everything else that the graph knows.
    await graph(
      `{ agents(first: 200) { nodes { id url authenticationType hasCredentials warnings history { nodes { action changes { field before after } } } } } }`,
    );
    await graph(
      '{ tasks(first: 200) { nodes { id metadata statusMessage { parts { text data } metadata } history { parts { text } metadata } artifacts { parts { text data } } } } }',
    );
    {
      const { data: shape } = await graph(
        '{ __type(name: "AuditEntry") { fields { name type { kind ofType { kind } } } } }',
      );
      const leaves = shape.__type.fields
        .filter(({ type }: any) => !['OBJECT', 'LIST'].includes(type.ofType?.kind ?? type.kind))
        .map(({ name }: any) => name);
      await graph(`{ auditLog(first: 200) { nodes { ${leaves.join(' ')} changes { field before after } } } }`);
    }

    {
      float.fault('login', 'blab', 3);
      const client = new Client(flyteAddress, credentials.createInsecure());
      cleanup(() => client.close());
      const create = admin.CreateTaskRequest.encode({
        template: core.TaskTemplate.create({
          type: 'mmcloud_task',
          id: { name: 'planted' },
          container: { image: 'img:1', args: ['run'] },
        }),
        outputPrefix: 's3://bucket/out',
      }).finish();
      const { error, bytes } = await callGrpc(
        client,
        '/flyteidl.service.AsyncAgentService/CreateTask',
        false,
        Buffer.from(create),
        undefined,
      );
      see(
        'Flyte answers',
        `${error?.message} ${JSON.stringify(error?.metadata?.getMap())} ${bytes?.toString('latin1')}`,
      );
    }

    const file = join(folder, 'export.jsonl');
    const exported = await spawnCli(['export', file, '--server', url, '--token', jwt]).done();
    see('command line', exported.stdout + exported.stderr);
    expect(exported.code, exported.stderr).toBe(0);
    see('export', readFileSync(file, 'utf8'));
    await http('metrics');

    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    see('standard output', server.stdout());
    see('standard error', server.stderr());
    for (const received of collector.received) see('traces', received);
    expect(collector.received.length).toBeGreaterThan(0);
    expect(server.stderr().split('\n').length).toBeGreaterThan(20);

    const database = await openDatabase({
      ...(kind === 'postgres' ? { databaseUrl } : {}),
      dataDir: folder,
    } as Parameters<typeof openDatabase>[0]);
    const tables = await database.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables)
      for (const { row } of await database.query<{ row: string }>(`select t::text as row from ${name} t`))
        see(`table ${name}`, row);
    await database.close();
    // The files of the embedded database hold what was deleted, too.
    if (kind === 'pglite')
      for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        const at = join(folder, path);
        if (statSync(at).isFile()) see(`file ${path}`, readFileSync(at, 'latin1'));
      }

    const all = [...Object.values(secrets), ...tokens, { name: 'mmcloud', value: float.password }];
    expect(float.logins().loggedIn).toBeGreaterThan(0);
    expect(all.every((secret) => spellings(secret).length > 4)).toBe(true);
    const found = [...seen].flatMap(([where, texts]) =>
      secretsIn(all, texts.join('\n')).map((what) => `${where}: ${what}`),
    );
    expect(found).toEqual([]);
  });
});
