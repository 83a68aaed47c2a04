import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type GatewayApp, startGateway } from '../../src/app/gateway.ts';
import { readConfig } from '../../src/config.ts';
import { composeSupergraph } from '../../src/gateway/compose.ts';
import { sdlOf } from '../../src/gateway/subgraph-list.ts';
import { createLog } from '../../src/log.ts';
import { ask } from '../support/app.ts';
import { SOON } from '../support/soon.ts';
import { startTeamSubgraph, type TeamSchema, type TeamSubgraph } from '../support/team-subgraph.ts';

const PRODUCTS: TeamSchema = {
  sdl: `type Query { products: [Product!]! slow: String }
        type Subscription { ticks: Tick! }
        type Tick { n: Int! }
        type Product @key(fields: "id") { id: ID! name: String! }`,
  references: { Product: ({ id }) => ({ id, name: `product ${String(id)}` }) },
  root: { products: [{ id: '1', name: 'product 1' }] },
};
const STOCK: TeamSchema = {
  sdl: `type Query { warehouses: Int! }
        type Product @key(fields: "id") { id: ID! inStock: Int! }`,
  references: { Product: ({ id }) => ({ id, inStock: 7 }) },
  root: { warehouses: 2 },
};
const WITH_COLOUR: TeamSchema = {
  ...STOCK,
  sdl: STOCK.sdl.replace('inStock: Int!', 'inStock: Int! colour: String'),
  references: { Product: ({ id }) => ({ id, inStock: 7, colour: 'red' }) },
};
/** The same field with another type does not compose. */
const CLASHING: TeamSchema = { ...STOCK, sdl: `${STOCK.sdl} type Tick { n: String! }` };

let folder: string;
let products: TeamSubgraph;
let stock: TeamSubgraph;
let app: GatewayApp | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-live-'));
  products = await startTeamSubgraph(PRODUCTS);
  stock = await startTeamSubgraph(STOCK);
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await Promise.all([products.close(), stock.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const listFile = (): string => join(folder, 'subgraphs.json');
function writeList(...names: ('products' | 'stock')[]): string {
  const url = { products: products.url, stock: stock.url };
  // As deployment tools do it: the new file takes the old one's place at once.
  writeFileSync(`${listFile()}.new`, JSON.stringify(names.map((name) => ({ name, url: url[name] }))));
  renameSync(`${listFile()}.new`, listFile());
  return listFile();
}

async function start(settings: Record<string, string>): Promise<GatewayApp> {
  const config = readConfig({ PORT: '0', LOG_LEVEL: 'silent', GRAPH_POLL_SECONDS: '1', ...settings });
  app = await startGateway(config, createLog(config.LOG_LEVEL));
  return app;
}

/** Asks until the answer is as wished: a change comes with the next reading. */
async function until<T>(read: () => Promise<T>, wished: (value: T) => boolean): Promise<T> {
  const end = Date.now() + SOON.timeout;
  for (;;) {
    const value = await read();
    if (wished(value)) return value;
    if (Date.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const health = async (): Promise<{ status: number; body: { checks: object; details?: { graph?: string } } }> => {
  const response = await fetch(new URL('health', app!.url));
  return { status: response.status, body: (await response.json()) as { checks: object } };
};

describe('a gateway of remote subgraphs', () => {
  test('joins them, and takes up a changed schema without a restart', async () => {
    const { url, loaded } = await start({ SUBGRAPHS: writeList('products', 'stock') });
    await loaded;
    const joined = '{ products { name inStock } warehouses }';
    expect((await ask(url, joined)).data).toEqual({ products: [{ name: 'product 1', inStock: 7 }], warehouses: 2 });
    const coloured = '{ products { colour } }';
    expect((await ask(url, coloured)).errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    stock.become(WITH_COLOUR);
    const answer = await until(
      () => ask(url, coloured),
      ({ errors }) => errors === undefined,
    );
    expect(answer.data).toEqual({ products: [{ colour: 'red' }] });
    expect((await ask(url, joined)).data['warehouses']).toBe(2);
  });

  test('keeps the running graph while the new one does not compose, and says why', async () => {
    const { url, loaded } = await start({ SUBGRAPHS: writeList('products', 'stock') });
    await loaded;
    stock.become(CLASHING);
    const { status, body } = await until(health, (h) => h.body.details !== undefined);
    expect(status).toBe(200);
    expect(body.details?.graph).toMatch(/older graph is served.*do not compose/s);
    expect(body.details?.graph).toContain('Tick.n');
    expect((await ask(url, '{ warehouses }')).data).toEqual({ warehouses: 2 });
    const metrics = await (await fetch(new URL('metrics', url))).text();
    expect(metrics).toMatch(/^rollcall_graph_stale 1$/m);
    expect(metrics).toMatch(/^rollcall_graph_reads_total\{outcome="failed"\} [1-9]/m);
    stock.become(WITH_COLOUR);
    await until(health, (h) => h.body.details === undefined);
    expect((await ask(url, '{ products { colour } }')).errors).toBeUndefined();
  });

  test('a subgraph that is down keeps its place; its fields fail, at their paths', async () => {
    const { url, loaded } = await start({ SUBGRAPHS: writeList('products', 'stock') });
    await loaded;
    await stock.pause();
    const { status, body } = await until(health, (h) => h.body.details !== undefined);
    expect(status).toBe(200);
    expect(body.details?.graph).toContain('subgraph stock');
    const answer = await ask(url, '{ products { name } warehouses }');
    expect(answer.data).toBeNull();
    expect(answer.errors?.map(({ path }) => path)).toEqual([['warehouses']]);
    expect((await ask(url, '{ products { name } }')).data).toEqual({ products: [{ name: 'product 1' }] });
    await stock.resume();
    await until(health, (h) => h.body.details === undefined);
    await until(
      () => ask(url, '{ warehouses }'),
      ({ errors }) => errors === undefined,
    );
  });

  test('a list that is replaced is read at once, without waiting for the next poll', async () => {
    const { url, loaded } = await start({ SUBGRAPHS: writeList('products'), GRAPH_POLL_SECONDS: '3600' });
    await loaded;
    expect((await ask(url, '{ warehouses }')).errors).toBeDefined();
    writeList('products', 'stock');
    await until(
      () => ask(url, '{ warehouses }'),
      ({ errors }) => errors === undefined,
    );
  });

  test('before there is a graph, it says so; then it has one', async () => {
    const { url } = await start({ SUBGRAPHS: join(folder, 'later.json') });
    const refused = await until(
      () => ask(url, '{ warehouses }'),
      () => true,
    );
    expect(refused.status).toBe(503);
    expect(refused.errors?.[0]?.extensions['code']).toBe('GRAPH_NOT_LOADED');
    const { status, body } = await until(health, (h) => (h.body.details?.graph ?? '').includes('later.json'));
    expect(status).toBe(503);
    expect(body.checks).toEqual({ graph: 'failing' });
    writeFileSync(join(folder, 'later.json'), JSON.stringify([{ name: 'stock', url: stock.url }]));
    await until(health, (h) => h.status === 200);
    expect((await ask(url, '{ warehouses }')).data).toEqual({ warehouses: 2 });
  });

  test('a supergraph from a URL is polled by its ETag', async () => {
    const definitions = async () =>
      Promise.all(
        Object.entries({ products, stock }).map(async ([name, { url }]) => ({
          name,
          url,
          sdl: await sdlOf({ name, url }),
        })),
      );
    let sdl = composeSupergraph(await definitions()).supergraphSdl!;
    const seen = { whole: 0, unchanged: 0 };
    const server = createServer((request, response) => {
      const etag = `"${sdl.length}"`;
      if (request.headers['if-none-match'] === etag) {
        seen.unchanged++;
        response.writeHead(304).end();
        return;
      }
      seen.whole++;
      response.writeHead(200, { etag }).end(sdl);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { url, loaded } = await start({
        SUPERGRAPH: `http://127.0.0.1:${(server.address() as AddressInfo).port}/supergraph`,
      });
      await loaded;
      expect((await ask(url, '{ products { inStock } }')).data).toEqual({ products: [{ inStock: 7 }] });
      await until(
        async () => seen.unchanged,
        (n) => n > 0,
      );
      expect(seen.whole).toBe(1);
      stock.become(WITH_COLOUR);
      sdl = composeSupergraph(await definitions()).supergraphSdl!;
      await until(
        () => ask(url, '{ products { colour } }'),
        ({ errors }) => errors === undefined,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('a swap drops no socket: subscriptions under way go on, and the same socket sees the new graph', async () => {
    let tick: ((n: number) => void) | undefined;
    const events = async function* () {
      for (let n = 1; ; n++) {
        const next = await new Promise<number>((resolve) => {
          tick = () => resolve(n);
        });
        yield { ticks: { n: next } };
      }
    };
    products.become({ ...PRODUCTS, root: { products: [], ticks: events } });
    await products.pause();
    await products.resume();
    const { url, loaded } = await start({ SUBGRAPHS: writeList('products', 'stock') });
    await loaded;
    let closed = 0;
    const client = createClient({
      url: `${url.replace(/^http/, 'ws')}graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      on: { closed: () => void closed++ },
    });
    const ticks = client.iterate<{ ticks: { n: number } }>({ query: 'subscription { ticks { n } }' });
    const pending = ticks.next();
    await until(
      async () => tick,
      (t) => t !== undefined,
    );
    tick!(1);
    expect((await pending).value.data).toEqual({ ticks: { n: 1 } });
    stock.become(WITH_COLOUR);
    await until(
      () => ask(url, '{ __type(name: "Product") { fields { name } } }'),
      ({ data }) => JSON.stringify(data).includes('colour'),
    );
    const next = ticks.next();
    await until(
      async () => products.sockets(),
      (n) => n === 1,
    );
    tick!(2);
    expect((await next).value.data).toEqual({ ticks: { n: 2 } });
    const onSameSocket = await client.iterate({ query: '{ products { colour } }' }).next();
    expect(onSameSocket.value.errors).toBeUndefined();
    expect(closed).toBe(0);
    // The old graph ends with its last stream.
    await ticks.return?.();
    await until(
      async () => products.sockets(),
      (n) => n === 0,
    );
    await client.dispose();
  });
});
