import { randomUUID } from 'node:crypto';
import { type Client, Server, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Scope } from '../../src/auth/principal.ts';
import type { Operation } from '../../src/protocol/a2a/requests.ts';
import { admin, core } from '../flyte/support/published.ts';
import { data } from '../support/app.ts';
import { USER_SCOPES } from '../support/tokens.ts';
import { A2A_RULES } from './rules/a2a.ts';
import { ROUTE_RULES, RPC_RULES } from './rules/routes.ts';
import { A2A_DOORS, callGrpc, type Outcome } from './support/a2a-doors.ts';
import { elsewhere, essence } from './support/answers.ts';
import { HIDDEN_WORD, startWorld, type Visibility, type World } from './support/world.ts';

let world: World;
/** The paths of the RPCs that servers of this process were given. */
const registered = new Set<string>();

beforeAll(async () => {
  const addService = vi.spyOn(Server.prototype, 'addService');
  world = await startWorld();
  for (const [definition] of addService.mock.calls)
    for (const { path } of Object.values(definition)) registered.add(path);
  addService.mockRestore();
});
afterAll(() => world?.close());

/** "METHOD /path" of every route, as the router itself prints them. */
function routesServed(): string[] {
  const parents: string[] = [];
  const routes: string[] = [];
  for (const line of world.app.http.printRoutes({ commonPrefix: false }).split('\n')) {
    const found = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (found === null) continue;
    const [, indent, segment, methods = ''] = found as unknown as [string, string, string, string?];
    const depth = indent.length / 4;
    parents[depth] = (depth === 0 ? '' : parents[depth - 1]!) + segment;
    const path = depth > 0 && segment === '*' ? `${parents[depth - 1]}/*` : parents[depth]!;
    for (const method of methods.split(', ')) if (method !== '') routes.push(`${method} ${path.replace('//', '/')}`);
  }
  return routes;
}

describe('HTTP routes', () => {
  test('every route has a rule, and every rule a route', () => {
    const served = routesServed().filter((route) => {
      // A HEAD is the GET beside it without its body.
      const beside = route.replace(/^HEAD /, 'GET ');
      return beside === route || !(beside in ROUTE_RULES);
    });
    expect(served.sort()).toEqual(Object.keys(ROUTE_RULES).sort());
  });

  const get = async (path: string, token?: string, method = 'GET') => {
    const response = await fetch(new URL(path, world.url), {
      method,
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    const text = await response.text();
    const headers = [...response.headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
    return { status: response.status, text, raw: essence(`${response.status} ${JSON.stringify(headers)} ${text}`) };
  };
  const routes = (...kinds: string[]) =>
    Object.entries(ROUTE_RULES)
      .filter(([, kind]) => kinds.includes(kind))
      .map(([route]) => route.split(' ') as [string, string]);

  test.each(routes('open'))('%s %s is open, and says nothing of anybody', async (_method, path) => {
    const { status, text } = await get(path);
    expect(status).toBe(200);
    expect(text).not.toContain(HIDDEN_WORD);
    expect(text).not.toContain(world.agents.PRIVATE);
  });

  describe.each(routes('card', 'extended card'))('%s %s', (_method, path) => {
    const extended = ROUTE_RULES[`GET ${path}`] === 'extended card';
    const of = (id: string) => path.replace(':agentId', id);
    test('is for those who see the agent', async () => {
      const { PRIVATE, INTERNAL, PUBLIC } = world.agents;
      const shown = await get(of(PRIVATE), world.owner);
      expect(shown.status, shown.text).toBe(200);
      expect(shown.text).toContain(HIDDEN_WORD);
      expect((await get(of(INTERNAL), world.stranger)).status).toBe(200);
      expect((await get(of(PUBLIC))).status).toBe(extended ? 401 : 200);
      const refused: [string, string | undefined][] = [
        [PRIVATE, world.stranger],
        [PRIVATE, undefined],
        [INTERNAL, undefined],
      ];
      for (const [id, token] of refused) {
        const answer = await get(of(id), token);
        expect(answer.status).toBe(extended && token === undefined ? 401 : 404);
        expect((await get(of(randomUUID()), token)).raw).toBe(answer.raw);
      }
      expect((await get(of(PUBLIC), 'no.token.atall')).status).toBe(401);
      expect((await get(of(PUBLIC), world.without.get('registry:read'))).status).toBe(403);
    });
  });

  test.each(routes('graph'))('%s %s answers each caller what is theirs', async (method, path) => {
    const query = '{ agents(first: 200) { nodes { handle } } }';
    const asked = async (token?: string) => {
      const url = new URL(path, world.url);
      if (method === 'GET') url.searchParams.set('query', query);
      const response = await fetch(url, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(method === 'GET' ? {} : { body: JSON.stringify({ query }) }),
      });
      return response.text();
    };
    expect(await asked(world.owner)).toContain(HIDDEN_WORD);
    for (const token of [world.stranger, undefined]) {
      const text = await asked(token);
      expect(text).toContain('wombat');
      expect(text).not.toContain(HIDDEN_WORD);
    }
    expect(await asked('no.token.atall')).toContain('UNAUTHENTICATED');
    expect(await asked(world.without.get('registry:read'))).toContain('FORBIDDEN');
  });

  describe.each(routes('graph stream'))('%s %s', (method, path) => {
    const stream = async (token: string | undefined, reserved?: string) => {
      const url = new URL(path, world.url);
      const query = 'subscription($id: ID!) { taskEvents(taskId: $id) { task { statusMessage { parts { text } } } } }';
      const variables = { id: world.taskId };
      if (method === 'GET' || method === 'DELETE') {
        url.searchParams.set('query', query);
        url.searchParams.set('variables', JSON.stringify(variables));
        if (method === 'DELETE') url.searchParams.set('operationId', '1');
      }
      const stop = new AbortController();
      const response = await fetch(url, {
        method,
        signal: stop.signal,
        headers: {
          accept: method === 'GET' || method === 'POST' ? 'text/event-stream' : '*/*',
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(reserved === undefined ? {} : { 'x-graphql-event-stream-token': reserved }),
        },
        ...(method === 'POST' ? { body: JSON.stringify({ query, variables }) } : {}),
      });
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += decoder.decode(chunk, { stream: true });
        if (/"(data|errors)"/.test(text)) break;
      }
      stop.abort();
      return { status: response.status, text };
    };
    test('is for its owner', async () => {
      expect((await stream('no.token.atall')).status).toBe(401);
      if (method === 'GET' || method === 'POST') {
        expect((await stream(world.owner)).text).toContain(HIDDEN_WORD);
        for (const token of [world.stranger, undefined, world.without.get('tasks:read')]) {
          const { text } = await stream(token);
          expect(text).toContain('errors');
          expect(text).not.toContain(HIDDEN_WORD);
        }
        return;
      }
      if (method === 'PUT') {
        const [one, two] = [await stream(world.owner), await stream(world.stranger)];
        expect([one.status, two.status], one.text).toEqual([201, 201]);
        return expect(one.text).not.toBe(two.text);
      }
      const reserve = await fetch(new URL(path, world.url), {
        method: 'PUT',
        headers: { authorization: `Bearer ${world.owner}` },
      });
      const token = await reserve.text();
      const foreign = await stream(world.stranger, token);
      expect(foreign.status).toBe(404);
      expect(essence((await stream(world.stranger, randomUUID())).text)).toBe(essence(foreign.text));
      return expect((await stream(world.owner, token)).status).toBe(200);
    });
  });
});

describe.each(Object.entries(A2A_RULES))('A2A %s', (name, rule) => {
  const operation = name as Operation;
  describe.each(A2A_DOORS.filter((door) => door.offers(operation)).map((door) => [door.name, door] as const))(
    '%s',
    (_, door) => {
      const call = async (token?: string, request?: object, agentId = world.agents.PRIVATE): Promise<Outcome> =>
        door.call(world, token, agentId, operation, (request ?? (await rule.request(world))) as never);
      const refused = (outcome: Outcome, code: Parameters<typeof door.refusalOf>[0]): void => {
        expect({ ok: outcome.ok, refusal: outcome.refusal }, outcome.raw).toEqual({
          ok: false,
          refusal: door.refusalOf(code),
        });
        expect(outcome.raw).not.toContain(HIDDEN_WORD);
      };

      test('its owner may; a stranger and nobody may not, and learn nothing', async () => {
        const shown = await call(world.owner);
        expect(shown.ok, shown.raw).toBe(true);
        const request = await rule.request(world);
        for (const [token, code] of [
          [world.stranger, rule.stranger],
          [undefined, rule.anonymous],
        ] as const) {
          const answer = await call(token, request);
          refused(answer, code);
          const nowhere = await call(token, elsewhere(request), randomUUID());
          expect(essence(nowhere.raw)).toBe(essence(answer.raw));
        }
      });

      test('each scope counts where it is needed, and nowhere else', async () => {
        for (const scope of USER_SCOPES) {
          const answer = await call(world.without.get(scope as Scope));
          if (rule.scopes.includes(scope)) refused(answer, 'FORBIDDEN');
          else expect(answer.ok, `without ${scope}: ${answer.raw}`).toBe(true);
        }
      });
    },
  );
});

describe('gRPC', () => {
  test('every RPC has a rule, and every rule an RPC', () => {
    expect([...registered].sort()).toEqual(Object.keys(RPC_RULES).sort());
  });

  const rpcs = (kind: string) => Object.entries(RPC_RULES).flatMap(([path, rule]) => (rule === kind ? [path] : []));
  const lists = rpcs('flyte list').filter((path) => /\/List/.test(path));
  const details = rpcs('flyte list').filter((path) => !lists.includes(path));
  const one = async (client: Client, path: string, bytes: Uint8Array, streaming = false) => {
    const { error, bytes: answer } = await callGrpc(client, path, streaming, Buffer.from(bytes), undefined);
    return { error: error as ServiceError | undefined, text: answer?.toString('latin1') ?? '' };
  };

  test.each(lists)('%s lists what the principal of the port sees', async (path) => {
    const { error, text } = await one(world.flyteGrpc, path, Buffer.alloc(0));
    expect(error).toBeUndefined();
    expect(text).toContain('wombat-flyte');
    expect(text).not.toContain(HIDDEN_WORD);
  });

  /** Under which names Flyte would know an agent. */
  const known = async (visibility: Visibility): Promise<{ flyteName: string; category: string }> => {
    const query = 'query($id: ID!) { agent(id: $id) { flyteName taskCategories { name } } }';
    const { agent } = await data(world.url, query, { id: world.agents[visibility] }, world.owner);
    return { flyteName: agent.flyteName, category: agent.taskCategories[0].name };
  };

  test.each(details)('%s knows no private agent of others', async (path) => {
    const of = (name: string) => one(world.flyteGrpc, path, admin.GetAgentRequest.encode({ name }).finish());
    expect((await of((await known('INTERNAL')).flyteName)).error).toBeUndefined();
    const hidden = (await known('PRIVATE')).flyteName;
    const [denied, absent] = [(await of(hidden)).error!, (await of('nobody')).error!];
    expect(denied.code).toBe(5);
    expect(denied.details.replace(hidden, 'nobody')).toBe(absent.details);
  });

  /** A request of each method about a task category. */
  const aboutCategory = (path: string, name: string): Uint8Array => {
    const template = core.TaskTemplate.create({ type: name, taskTypeVersion: 0, id: { name: 'walk' } });
    const job = { taskCategory: { name, version: 0 }, resourceMeta: Buffer.from('{}') };
    const requests: Readonly<Record<string, () => { finish(): Uint8Array }>> = {
      CreateTask: () => admin.CreateTaskRequest.encode({ template, outputPrefix: 's3://x' }),
      GetTask: () => admin.GetTaskRequest.encode(job),
      DeleteTask: () => admin.DeleteTaskRequest.encode(job),
      GetTaskMetrics: () => admin.GetTaskMetricsRequest.encode(job),
      GetTaskLogs: () => admin.GetTaskLogsRequest.encode(job),
      ExecuteTaskSync: () => admin.ExecuteTaskSyncRequest.encode({ header: { template, outputPrefix: 's3://x' } }),
    };
    return requests[path.split('/').at(-1)!]!().finish();
  };

  test.each(rpcs('flyte task'))('%s takes nothing for a private agent of others', async (path) => {
    const outcome = async (name: string): Promise<string> => {
      const request = aboutCategory(path, name);
      const streaming = /Logs|Sync/.test(path);
      const { error, text } = await one(world.flyteGrpc, path, request, streaming);
      return error === undefined ? text : `${error.code} ${error.details.replaceAll(name, 'THIS')}`;
    };
    const denied = await outcome((await known('PRIVATE')).category);
    expect(denied).toBe(await outcome('nothing_at_all'));
    // A category that the principal of the port sees is another matter, whatever comes of the call.
    expect(await outcome((await known('PUBLIC')).category)).not.toBe(denied);
  });
});
