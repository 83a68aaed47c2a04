import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// Only these may open anything outbound. Whatever calls a URL that came from a user goes through src/upstream/egress.ts;
// the others call what the operator configured (database, broker, other teams' subgraphs, telemetry), or are the
// operator's own tools. Add a line here only for a connection whose target no user can choose.
const MAY_CONNECT: readonly RegExp[] = [
  /^src\/upstream\/egress(\.ts|\/|[.-][^/]*\.ts$)/,
  /^src\/upstream\/mmcloud(\.ts|\/|[.-][^/]*\.ts$)/,
  /^src\/(database|events|gateway|cli)\//,
  /^src\/telemetry(\.ts$|\/)/,
];

/** Generated clients open nothing by themselves: whoever makes one needs credentials, and those are barred. */
const GENERATED = /^src\/protocol\/\w+\/generated\//;

interface Rule {
  readonly what: string;
  /** Files that it is not for. */
  readonly not?: RegExp;
  readonly pattern: RegExp;
}

const from = (module: string): string => `(?:from\\s*|import\\s*\\(?\\s*|require\\s*\\(\\s*)['"](?:${module})['"]`;
const named = (names: string, module: string): RegExp =>
  new RegExp(`import\\s+(?!type\\b)[^;]*\\{[^}]*(?<!type\\s+)\\b(?:${names})\\b[^}]*\\}\\s*${from(module)}`);

/** What opens a connection. A text search, not a proof: it is meant to catch the honest mistake. */
const RULES: readonly Rule[] = [
  {
    what: 'undici',
    pattern: new RegExp(
      `import\\s+(?!type\\b)[^;]*${from('undici(?:/[^\'"]*)?')}|(?:import|require)\\s*\\(\\s*['"]undici|import\\s*['"]undici`,
    ),
  },
  {
    what: 'global fetch',
    pattern: /(?<![\w$.#])fetch\s*\(|\b(?:globalThis|global|window)\s*\.\s*fetch\b|=\s*fetch\s*[;,)]/,
  },
  { what: 'an HTTP client of node:http(s)', pattern: named('request|get|Agent|ClientRequest', '(?:node:)?https?') },
  { what: 'http.request', pattern: /\bhttps?\.(?:request|get)\s*\(/ },
  { what: 'an HTTP/2 client', pattern: named('connect', '(?:node:)?http2') },
  { what: 'http2.connect', pattern: /\b(?:http2|net|tls)\.(?:connect|createConnection)\s*\(|\bnew\s+net\.Socket\s*\(/ },
  {
    what: 'a socket of node:net or node:tls',
    pattern: named('connect|createConnection|Socket', '(?:node:)?(?:net|tls)'),
  },
  { what: 'a datagram socket', pattern: new RegExp(from('(?:node:)?dgram')) },
  { what: 'a process', pattern: new RegExp(`import\\s+(?!type\\b)[^;]*${from('(?:node:)?child_process')}`) },
  { what: 'a DNS lookup', pattern: new RegExp(from('(?:node:)?dns(?:/promises)?')) },
  { what: 'a WebSocket client', pattern: /\bnew\s+WebSocket\s*\(/ },
  { what: 'an EventSource', pattern: /\bnew\s+EventSource\s*\(/ },
  {
    what: 'a gRPC channel',
    pattern:
      /\b(?:ChannelCredentials|credentials)\s*\.\s*create\w*\s*\(|\bnew\s+(?:\w+\.)*(?:Channel|Client|\w+ServiceClient)\s*\(/,
  },
  {
    // A client that somebody hands over is a type (Flyte's routing); servers have credentials of another name.
    what: 'what gRPC channels are made of',
    not: GENERATED,
    pattern: named(
      'Client|Channel|ChannelCredentials|credentials|experimental|loadPackageDefinition|makeClientConstructor',
      '@grpc/grpc-js',
    ),
  },
  {
    what: 'all of grpc-js',
    pattern: new RegExp(
      `import\\s+(?:\\w+|\\*\\s+as\\s+\\w+)\\s*${from('@grpc/grpc-js')}|(?:import|require)\\s*\\(\\s*['"]@grpc/grpc-js`,
    ),
  },
];

/** Without comments: a rule that is explained must not count as broken. Strings stay, for the import paths. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}(),])\/\/.*$/gm, '$1');

/** A method or an interface member that is called fetch is no call of the global one. */
const FETCH_DECLARATION = /(^|[{;}])\s*(?:async\s+)?fetch\s*\([^()]*\)\s*(?::[^=;{]*[;{]|\{)/gm;

const violations = (source: string, file = ''): string[] => {
  const code = withoutComments(source).replace(FETCH_DECLARATION, '$1');
  return RULES.filter(({ pattern, not }) => pattern.test(code) && not?.test(file) !== true).map(({ what }) => what);
};

const root = fileURLToPath(new URL('../../', import.meta.url));

function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

describe('only the egress door opens outbound connections for users', () => {
  it('in every file of src/', () => {
    const found = sources()
      .filter((file) => !MAY_CONNECT.some((allowed) => allowed.test(file)))
      .flatMap((file) => violations(readFileSync(join(root, file), 'utf8'), file).map((what) => `${file}: ${what}`));
    expect(
      found,
      'call egress.fetch, egress.stream, egress.grpc or egress.grpcClient of src/upstream/egress.ts instead',
    ).toEqual([]);
  });

  it('finds the door itself, so that it does look', () => {
    const inside = (file: string) => violations(readFileSync(join(root, 'src/upstream/egress', file), 'utf8'));
    expect(inside('pools.ts')).toContain('undici');
    expect(inside('grpc/clients.ts')).toEqual(['a gRPC channel', 'what gRPC channels are made of']);
    expect(inside('grpc/resolver.ts')).toContain('what gRPC channels are made of');
    expect(sources().length).toBeGreaterThan(10);
  });

  it.each([
    ["import { request } from 'undici';"],
    ["import undici from 'undici';"],
    ["const { Agent } = await import('undici');"],
    ["import { createServer, request } from 'node:http';"],
    ["import {\n  Agent,\n  createServer,\n} from 'node:https';"],
    ["import http from 'node:http';\nhttp.request(url);"],
    ["import * as https from 'https';\nhttps.get(url);"],
    ["import { connect } from 'node:tls';"],
    ["import { isIP, Socket } from 'node:net';"],
    ["import net from 'node:net';\nnet.createConnection(80);"],
    ["import { connect } from 'node:http2';"],
    ["import { lookup } from 'node:dns/promises';"],
    ["import dgram from 'node:dgram';"],
    ["import { spawn } from 'node:child_process';"],
    ['const answer = await fetch(url);'],
    ['const answer = await globalThis.fetch(url);'],
    ['function warm() {\n  fetch(url);\n}'],
    ['const answer = online ? fetch(url) : cached;'],
    ['const get = options.fetch ?? fetch;\nconst run = fetch;'],
    ['const socket = new WebSocket(url);'],
    ['const source = new EventSource(url);'],
    ['new AgentServiceClient(target, credentials.createInsecure());'],
    ['new AgentServiceClient(target, grpc.ChannelCredentials.createSsl());'],
    ['new Client(target, channelCredentials);'],
    ['new grpc.Client(target, channelCredentials);'],
    ['new AsyncAgentServiceClient(target, channelCredentials);'],
    ["import { Client, type ClientOptions } from '@grpc/grpc-js';"],
    ["import {\n  type Client,\n  credentials,\n} from '@grpc/grpc-js';"],
    ["import { ChannelCredentials } from '@grpc/grpc-js';"],
    ["import { experimental, status } from '@grpc/grpc-js';"],
    ["import * as grpc from '@grpc/grpc-js';"],
    ["import grpc from '@grpc/grpc-js';"],
    ["const { Client } = await import('@grpc/grpc-js');"],
  ])('notices %j', (source) => {
    expect(violations(source)).not.toEqual([]);
  });

  it.each([
    ["import { createServer } from 'node:http';"],
    ["import { createServer, type IncomingMessage, type Agent } from 'node:http';"],
    ["import type { Socket } from 'node:net';"],
    ["import { isIP } from 'node:net';"],
    ["import type { Dispatcher } from 'undici';"],
    ["import { WebSocketServer } from 'ws';\nnew WebSocketServer({ noServer: true });"],
    ['await egress.fetch(url);'],
    ['await this.#egress.fetch(url);'],
    ['server.bindAsync(address, ServerCredentials.createInsecure(), done);'],
    ["import { type Client, type ClientOptions, connectivityState } from '@grpc/grpc-js';"],
    ["import { Server, ServerCredentials } from '@grpc/grpc-js';"],
    ["import type { Client } from '@grpc/grpc-js';"],
    ["import { Metadata, status } from '@grpc/grpc-js';"],
    ['const clients = new GrpcClients(check, limits);'],
    ['await egress.grpc(address, signal);'],
    ['const prefetch = (x: number) => x; prefetch(1);'],
    ['// fetch(url) would go past the door'],
    ['/** Never use fetch(url) here. */'],
    ["const link = 'http://example.org/'; await egress.check(link);"],
    ['class Loader { fetch(): void {} }'],
    ['class Loader {\n  async fetch(url: string, options: Options = {}): Promise<Answer> {\n  }\n}'],
    ['interface Loader {\n  fetch(url: string): Promise<Answer>;\n}'],
  ])('leaves %j alone', (source) => {
    expect(violations(source)).toEqual([]);
  });

  it.each([
    ['src/upstream/egress.ts', true],
    ['src/upstream/egress/pools.ts', true],
    ['src/upstream/egress-grpc.ts', true],
    ['src/upstream/egress/grpc/clients.ts', true],
    ['src/upstream/a2a/grpc-peer.ts', false],
    ['src/flyte/routing/connections.ts', false],
    ['src/a2a/grpc/server.ts', false],
    ['src/upstream/mmcloud.ts', true],
    ['src/upstream/a2a.ts', false],
    ['src/upstream/egressive/x.ts', false],
    ['src/gateway/remote.ts', true],
    ['src/tasks/push.ts', false],
    ['src/telemetry.ts', true],
    ['src/auth/jwt.ts', false],
  ])('%s may connect: %s', (file, may) => {
    expect(MAY_CONNECT.some((allowed) => allowed.test(file))).toBe(may);
  });
});
