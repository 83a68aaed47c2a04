import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayApp, startGateway } from '../../src/app/gateway.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { ask } from '../support/app.ts';
import { startTeamSubgraph, type TeamSubgraph } from '../support/team-subgraph.ts';

interface SeenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
}

const PARENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

let folder: string;
let team: TeamSubgraph;
let other: TeamSubgraph;
let app: GatewayApp;
let seen: SeenSpan[];
let bodies: string;
const collector = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    bodies += text;
    for (const { scopeSpans } of JSON.parse(text).resourceSpans)
      for (const { spans } of scopeSpans) seen.push(...(spans as SeenSpan[]));
    response.setHeader('content-type', 'application/json').end('{}');
  });
});

beforeAll(async () => {
  seen = [];
  bodies = '';
  folder = mkdtempSync(join(tmpdir(), 'rollcall-telemetry-'));
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  team = await startTeamSubgraph({
    sdl: 'type Query { shop(name: String): Shop } type Shop @key(fields: "id") { id: ID! name: String }',
    root: { shop: ({ name }: { name: string }) => ({ id: '1', name }) },
  });
  other = await startTeamSubgraph({
    sdl: 'type Query { other: Int } type Shop @key(fields: "id") { id: ID! rating: Int! }',
    references: {
      Shop: ({ id }) => ({
        id,
        rating: () => {
          throw new Error('no ratings today');
        },
      }),
    },
  });
  const list = join(folder, 'subgraphs.json');
  writeFileSync(
    list,
    JSON.stringify([
      { name: 'shops', url: team.url },
      { name: 'ratings', url: other.url },
    ]),
  );
  const config = readConfig({
    PORT: '0',
    LOG_LEVEL: 'silent',
    SUBGRAPHS: list,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  });
  app = await startGateway(config, createLog('silent'));
  await app.loaded;
});
afterAll(async () => {
  await app?.close();
  await Promise.all([team?.close(), other?.close()]);
  collector.closeAllConnections();
  collector.close();
  rmSync(folder, { recursive: true, force: true });
});

test("an operation's trace shows its plan and its requests, and goes on in the subgraphs", async () => {
  const response = await fetch(new URL('graphql', app.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${PARENT.trace}-${PARENT.span}-01` },
    body: JSON.stringify({
      query: 'query FindShop($name: String) { shop(name: $name) { name rating } }',
      variables: { name: 'a secret name' },
    }),
  });
  expect((await response.json()).errors[0].path).toEqual(['shop', 'rating']);
  await expect
    .poll(() => seen.map(({ name }) => name).sort())
    .toEqual(['plan', 'query FindShop', 'query ratings', 'query shops'].sort());
  const byName = Object.fromEntries(seen.map((span) => [span.name, span]));
  const operation = byName['query FindShop']!;
  expect(operation).toMatchObject({ traceId: PARENT.trace, parentSpanId: PARENT.span, status: { code: 2 } });
  for (const name of ['plan', 'query shops', 'query ratings']) {
    expect(byName[name]).toMatchObject({ traceId: PARENT.trace, parentSpanId: operation.spanId });
  }
  expect(byName['query ratings']?.status?.code).toBe(2);
  const headers = team.lastHeaders();
  expect(headers['traceparent']).toBe(`00-${PARENT.trace}-${byName['query shops']!.spanId}-01`);
  expect(bodies).not.toContain('a secret name');
});

test('metrics count requests by subgraph, and operations by a bounded number of names', async () => {
  await ask(app.url, 'query Named { other }');
  await ask(app.url, '{ other }');
  for (let i = 0; i < 300; i++) await ask(app.url, `query Flood${i} { __typename }`);
  const text = await (await fetch(new URL('metrics', app.url))).text();
  expect(text).toMatch(/rollcall_subgraph_request_seconds_count\{subgraph="ratings",outcome="errors"\} 1\n/);
  expect(text).toMatch(/rollcall_subgraph_request_seconds_count\{subgraph="ratings",outcome="ok"\} 2\n/);
  expect(text).toMatch(/rollcall_graphql_operation_seconds_count\{operation="Named",type="query",outcome="ok"\} 1\n/);
  expect(text).toMatch(/rollcall_graphql_operation_seconds_count\{operation="anonymous",/);
  const names = new Set(text.match(/operation="[^"]*"/g));
  expect(names.size).toBe(202);
  expect(names).toContain('operation="other"');
});
