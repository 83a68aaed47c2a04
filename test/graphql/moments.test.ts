import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { startTestApp } from '../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startTestApp();
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi' }] };
  const { data } = await asked('graphql', '{ agent(handle: "echo") { id } }', {});
  const sent = await fetch(new URL(`a2a/${data.agent.id}/message:send`, app.addresses.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  });
  // A filter that is lost on its way would show this task.
  expect(sent.status).toBe(200);
});
afterAll(() => app?.close());

async function asked(path: string, query: string, variables: object): Promise<any> {
  const answer = await fetch(new URL(path, app.addresses.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

const MOMENT = 'filter.statusTimestampAfter';
const WRONG: readonly (readonly [what: string, query: string, variables: object, field: string])[] = [
  ['a literal', '{ tasks(filter: { statusTimestampAfter: "yesterday" }) { nodes { id } } }', {}, MOMENT],
  ['a literal that is no text', '{ tasks(filter: { statusTimestampAfter: 5 }) { nodes { id } } }', {}, MOMENT],
  ['no day', '{ tasks(filter: { statusTimestampAfter: "2026-13-40T00:00:00Z" }) { nodes { id } } }', {}, MOMENT],
  [
    'a variable',
    'query($d: DateTime) { tasks(filter: { statusTimestampAfter: $d }) { nodes { id } } }',
    { d: 'yesterday' },
    MOMENT,
  ],
  [
    'a part of a variable',
    'query($f: TaskFilterInput) { tasks(filter: $f) { nodes { id } } }',
    { f: { statusTimestampAfter: 'yesterday' } },
    MOMENT,
  ],
  [
    'of a field below',
    '{ agents { nodes { tasks(filter: { statusTimestampAfter: "x" }) { nodes { id } } } } }',
    {},
    MOMENT,
  ],
  ['of another list', '{ auditLog(first: 1, filter: { until: "x" }) { nodes { at } } }', {}, 'filter.until'],
];

const RIGHT: readonly (readonly [what: string, query: string, variables: object])[] = [
  ['a literal', '{ tasks(filter: { statusTimestampAfter: "2999-01-31T10:20:30Z" }) { nodes { id } } }', {}],
  [
    'a variable',
    'query($d: DateTime) { tasks(filter: { statusTimestampAfter: $d }) { nodes { id } } }',
    { d: '2999-01-31T10:20:30.123456+02:00' },
  ],
  [
    'a part of a variable',
    'query($f: TaskFilterInput) { tasks(filter: $f) { nodes { id } } }',
    { f: { statusTimestampAfter: '2999-01-31T10:20:30Z' } },
  ],
];

// Three times each: a query that comes again is compiled.
describe.each(['graphql', 'subgraph'])('at /%s', (path) => {
  test.each(WRONG)(
    'a wrong moment is refused by the name that the caller gave: %s',
    async (_what, query, variables, field) => {
      for (let i = 0; i < 3; i++) {
        const { errors } = await asked(path, query, variables);
        expect(errors).toHaveLength(1);
        expect(errors[0].message).toBe(`${field}: must be a date and time such as "2026-01-31T10:20:30Z"`);
        expect(errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT', field });
      }
    },
  );

  test.each(RIGHT)('a moment is taken as it is: %s', async (_what, query, variables) => {
    for (let i = 0; i < 3; i++) expect(await asked(path, query, variables)).toEqual({ data: { tasks: { nodes: [] } } });
  });
});

test('a wrong moment of a subscription is refused before it begins', async () => {
  const answer = await fetch(new URL('graphql/stream', app.addresses.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription { tasksChanged(filter: { statusTimestampAfter: "yesterday" }) { at } }',
    }),
  });
  expect(await answer.text()).toContain('"extensions":{"code":"BAD_USER_INPUT","field":"filter.statusTimestampAfter"}');
});
