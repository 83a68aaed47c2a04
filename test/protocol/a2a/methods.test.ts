import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../../src/errors.ts';
import { DIALECTS } from '../../../src/protocol/a2a/dialects/index.ts';
import { matchRoute, mergeParams, toHttpCall } from '../../../src/protocol/a2a/http-json.ts';
import { detect, dialectOfVersion, OPERATION_NAMES, OPERATIONS } from '../../../src/protocol/a2a/methods.ts';

const codeOf = (act: () => unknown): string => {
  try {
    return `none: ${JSON.stringify(act())}`;
  } catch (thrown) {
    if (thrown instanceof RollcallError) return thrown.code;
    throw thrown;
  }
};

describe('dialect detection', () => {
  it('finds every method of every dialect, with and without its version', () => {
    const versions = { '1.0': '1.0', '0.3': '0.3', early: '0.1' } as const;
    for (const operation of OPERATION_NAMES) {
      for (const dialect of ['1.0', '0.3', 'early'] as const) {
        const method = OPERATIONS[operation].jsonRpc[dialect];
        if (method === null) continue;
        expect(detect(method, versions[dialect])).toEqual({ dialect, operation, ambiguous: false });
        expect(detect(method).operation).toBe(operation);
        expect(DIALECTS[dialect].supports(operation)).toBe(true);
      }
    }
  });

  it('takes the three methods that 0.3 and the early era share for 0.3, and says that it is not sure', () => {
    expect(detect('tasks/get')).toEqual({ dialect: '0.3', operation: 'GetTask', ambiguous: true });
    expect(detect('tasks/cancel', '')).toEqual({ dialect: '0.3', operation: 'CancelTask', ambiguous: true });
    expect(detect('tasks/resubscribe')).toEqual({ dialect: '0.3', operation: 'SubscribeToTask', ambiguous: true });
    expect(detect('tasks/send')).toEqual({ dialect: 'early', operation: 'SendMessage', ambiguous: false });
    expect(detect('tasks/pushNotification/get').ambiguous).toBe(false);
  });

  it('ignores the patch of a version', () => {
    expect(dialectOfVersion('1.0.1')).toBe('1.0');
    expect(dialectOfVersion(' 1.0 ')).toBe('1.0');
    expect(dialectOfVersion('0.3.0')).toBe('0.3');
    expect(dialectOfVersion('0.2.5')).toBe('0.3');
    expect(dialectOfVersion('')).toBeUndefined();
  });

  it.each(['2.0', '1', '1.1', '10.0', '01.0', 'v1.0', '1.0.', 'latest', '1.0\n2.0'])(
    'refuses version %j',
    (version) => {
      expect(codeOf(() => detect('SendMessage', version))).toBe('VERSION_NOT_SUPPORTED');
    },
  );

  it('refuses a version that has no such method', () => {
    expect(codeOf(() => detect('message/send', '1.0'))).toBe('VERSION_NOT_SUPPORTED');
    expect(codeOf(() => detect('SendMessage', '0.3'))).toBe('VERSION_NOT_SUPPORTED');
    expect(codeOf(() => detect('tasks/send', '0.3'))).toBe('VERSION_NOT_SUPPORTED');
  });

  it('knows no other methods', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('tasks/list', 'sendMessage', '__proto__', 'toString')),
        (name) => {
          fc.pre(!OPERATION_NAMES.some((operation) => Object.values(OPERATIONS[operation].jsonRpc).includes(name)));
          expect(codeOf(() => detect(name))).toBe('METHOD_NOT_FOUND');
        },
      ),
    );
  });
});

describe('HTTP+JSON routes', () => {
  it.each([
    ['POST', '/message:send', '1.0', 'SendMessage', {}],
    ['POST', '/message:stream', '1.0', 'SendStreamingMessage', {}],
    ['GET', '/tasks/t-1', '1.0', 'GetTask', { id: 't-1' }],
    ['GET', '/tasks', '1.0', 'ListTasks', {}],
    ['POST', '/tasks/t-1:cancel', '1.0', 'CancelTask', { id: 't-1' }],
    ['GET', '/tasks/t-1:subscribe', '1.0', 'SubscribeToTask', { id: 't-1' }],
    ['POST', '/tasks/t-1:subscribe', '1.0', 'SubscribeToTask', { id: 't-1' }],
    ['POST', '/tasks/t-1/pushNotificationConfigs', '1.0', 'CreateTaskPushNotificationConfig', { taskId: 't-1' }],
    ['GET', '/tasks/t-1/pushNotificationConfigs/c', '1.0', 'GetTaskPushNotificationConfig', { taskId: 't-1', id: 'c' }],
    ['GET', '/tasks/t-1/pushNotificationConfigs', '1.0', 'ListTaskPushNotificationConfigs', { taskId: 't-1' }],
    [
      'DELETE',
      '/tasks/t%2F1/pushNotificationConfigs/c%3A2',
      '1.0',
      'DeleteTaskPushNotificationConfig',
      { taskId: 't/1', id: 'c:2' },
    ],
    ['GET', '/extendedAgentCard', '1.0', 'GetExtendedAgentCard', {}],
    ['POST', '/v1/message:send', '0.3-rest', 'SendMessage', {}],
    ['GET', '/v1/tasks/t-1:subscribe', '0.3-rest', 'SubscribeToTask', { id: 't-1' }],
    ['GET', '/v1/card', '0.3-rest', 'GetExtendedAgentCard', {}],
  ])('%s %s', (verb, path, dialect, operation, pathParams) => {
    expect(matchRoute(verb, path)).toEqual({ dialect, operation, pathParams });
  });

  it('names the verbs of a path that has others', () => {
    expect(matchRoute('DELETE', '/tasks/t-1')).toEqual({ allow: ['GET'] });
    expect(matchRoute('GET', '/tasks/t-1:cancel')).toEqual({ allow: ['POST'] });
    expect(matchRoute('PUT', '/tasks/t/pushNotificationConfigs/c')).toEqual({ allow: ['GET', 'DELETE'] });
  });

  it('knows no other paths', () => {
    for (const path of [
      '/',
      '',
      '/tasks/',
      '/tasks/a/b',
      '/tasks/a:restart',
      '/v1/tasks',
      '/message:send/',
      '/V1/card',
    ]) {
      expect(matchRoute('GET', path)).toBeUndefined();
    }
    expect(codeOf(() => matchRoute('GET', '/tasks/%E0%A4%A'))).toBe('INVALID_INPUT');
  });

  it('finds the call of a client again, with the same params', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), fc.nat(), (taskId, id, pageSize) => {
        const params = { taskId, id, pageSize };
        for (const operation of OPERATION_NAMES) {
          for (const dialect of ['1.0', '0.3-rest'] as const) {
            const call = toHttpCall(dialect, operation, params);
            if (call === undefined) continue;
            const url = new URL(`http://agent.example/base${call.path}`);
            const path = url.pathname.slice('/base'.length);
            // "." and ".." are folded by URL parsers even when escaped; no client can send such ids in a path.
            if (taskId === '.' || taskId === '..' || id === '.' || id === '..') return;
            const found = matchRoute(call.verb, path);
            expect(found).toMatchObject({ operation, dialect });
            if (found === undefined || 'allow' in found) continue;
            const merged = mergeParams(found.pathParams, url.searchParams, call.body);
            expect(merged).toMatchObject({ taskId, id });
            expect(String(merged.pageSize)).toBe(String(pageSize));
          }
        }
      }),
    );
  });

  it('puts the tenant of an interface before the path, and the path before body and query', () => {
    expect(toHttpCall('1.0', 'CancelTask', { tenant: 'a b', id: 't', metadata: { k: 1 } })).toEqual({
      verb: 'POST',
      path: '/a%20b/tasks/t:cancel',
      body: { metadata: { k: 1 } },
    });
    expect(toHttpCall('0.3-rest', 'ListTasks', {})).toBeUndefined();
    const query = new URLSearchParams('id=query&historyLength=2&A2A-Version=1.0');
    expect(mergeParams({ id: 'path' }, query, { id: 'body' })).toEqual({ id: 'path', historyLength: '2' });
    expect(codeOf(() => mergeParams({}, [], [1]))).toBe('INVALID_INPUT');
  });
});
