import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type GatewayApp, startGateway } from '../../src/app/gateway.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { ask } from '../support/app.ts';
import { startTeamSubgraph, type TeamSubgraph } from '../support/team-subgraph.ts';

let folder: string;
let slow: TeamSubgraph;
let quick: TeamSubgraph;
let app: GatewayApp;
let asked: () => void;
let release: () => void;
let held: Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-load-'));
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  held = new Promise((resolve) => {
    asked = resolve;
  });
  slow = await startTeamSubgraph({
    sdl: 'type Query { slow: Int }',
    root: {
      slow: async () => {
        asked();
        await gate;
        return 1;
      },
    },
  });
  quick = await startTeamSubgraph({ sdl: 'type Query { quick: Int }', root: { quick: 2 } });
});
afterEach(async () => {
  release();
  await app?.close();
  await Promise.all([slow.close(), quick.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Record<string, string>): Promise<void> {
  const list = join(folder, 'subgraphs.json');
  writeFileSync(
    list,
    JSON.stringify([
      { name: 'slow', url: slow.url },
      { name: 'quick', url: quick.url },
    ]),
  );
  const config = readConfig({ PORT: '0', LOG_LEVEL: 'silent', SUBGRAPHS: list, ...settings });
  app = await startGateway(config, createLog('silent'));
  await app.loaded;
}

describe('a gateway under load', () => {
  test('an answer that takes longer than the operation may is partial, with errors where it is not', async () => {
    await start({ GRAPH_DEADLINE_SECONDS: '3' });
    const from = performance.now();
    const { data, errors } = await ask(app.url, '{ quick slow }');
    expect(performance.now() - from).toBeGreaterThanOrEqual(2_990);
    expect(data).toEqual({ quick: 2, slow: null });
    expect(errors).toMatchObject([{ path: ['slow'], extensions: { code: 'UPSTREAM_TIMEOUT' } }]);
    expect(errors?.[0]?.message).toContain('in the time that the operation had left');
  });

  test('operations beyond the limit are refused at once, over HTTP and on sockets, and taken again afterwards', async () => {
    await start({ GRAPH_MAX_OPERATIONS: '1' });
    const running = ask(app.url, '{ slow }');
    await held;
    const refused = await ask(app.url, '{ quick }');
    expect(refused).toMatchObject({ status: 503, errors: [{ extensions: { code: 'OVERLOADED' } }] });
    expect(refused.headers.get('retry-after')).toBe('1');
    const client = createClient({ url: `${app.url.replace(/^http/, 'ws')}graphql`, webSocketImpl: WebSocket });
    const onSocket = await client.iterate({ query: '{ quick }' }).next();
    expect(onSocket.value.errors).toMatchObject([{ extensions: { code: 'OVERLOADED' } }]);
    release();
    expect((await running).data).toEqual({ slow: 1 });
    expect((await ask(app.url, '{ quick }')).data).toEqual({ quick: 2 });
    expect((await client.iterate({ query: '{ quick }' }).next()).value.data).toEqual({ quick: 2 });
    await client.dispose();
  });
});
