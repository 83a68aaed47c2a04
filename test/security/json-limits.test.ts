import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { post, rpc, userMessage } from '../a2a/support.ts';
import { tokenFor } from '../support/tokens.ts';
import { echoOf } from './doors.ts';
import { HANDLE, headers, limitedServers, ME } from './support/limited.ts';

const { start, socketOf } = limitedServers();

describe('JSON', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
  const LOAD = 'mutation($input: LoadRecordsInput!) { loadRecords(input: $input) { created } }';

  test('that nests too deeply is refused by every door, however deep it is', async () => {
    const app = await start({});
    const { url } = app.addresses;
    const me = await tokenFor(ME);
    for (const levels of [60, 20_000]) {
      const variables = { input: { records: [nested(levels)], onConflict: 'SKIP' } };
      const body = `{"query":${JSON.stringify(LOAD)},"variables":${toText(variables)}}`;
      for (const path of ['graphql', 'subgraph']) {
        const answer = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { ...headers(me), 'content-type': 'application/json' },
          body,
        });
        expect(answer.status).toBeLessThan(500);
        expect(await answer.text()).toContain('QUERY_TOO_COMPLEX');
      }
    }
    const agent = await echoOf(app, me);
    const message = { ...userMessage('hi'), metadata: nested(200) };
    const refused = await post(`${url}a2a/${agent}`, rpc('SendMessage', { message }), headers(me));
    expect(refused.body).toMatchObject({ error: { code: -32602 } });
  });

  test('a message on a socket has the size of a body at most', async () => {
    const app = await start({ MAX_BODY_BYTES: '2048' });
    const { client, ended } = socketOf(app, await tokenFor(ME));
    const said = vi.spyOn(console, 'error');
    for await (const answer of client.iterate({ query: HANDLE })) expect(answer.errors).toBeUndefined();
    const sent = client.iterate({ query: `${HANDLE} #${'x'.repeat(4_000)}` }).next();
    sent.catch(() => undefined);
    expect(await ended).toMatchObject({ code: 1009 });
    // What goes wrong on a socket is said in the log, and nowhere beside it.
    expect(said).not.toHaveBeenCalled();
  });

  // A ping is answered with what it holds, and to write what nests too deeply overflows the stack.
  test.each([3_000, 100_000])('a message on a socket that nests %i levels is none', async (levels) => {
    const app = await start({});
    const socket = new WebSocket(`${app.addresses.url.replace('http', 'ws')}graphql`, 'graphql-transport-ws');
    socket.once('message', () =>
      socket.send(`{"type":"ping","payload":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`),
    );
    await once(socket, 'open');
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${await tokenFor(ME)}` } }),
    );
    expect((await once(socket, 'close'))[0]).toBe(4400);
  });
});

/** JSON.stringify would overflow on what these tests send. */
const toText = ({ input: { records, onConflict } }: { input: { records: unknown[]; onConflict: string } }): string => {
  let levels = 0;
  for (
    let value: unknown = records[0];
    typeof value === 'object' && value !== null;
    value = (value as { a: unknown }).a
  )
    levels++;
  return `{"input":{"records":[${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}],"onConflict":"${onConflict}"}}`;
};
