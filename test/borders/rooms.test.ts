import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), '../../src');

/** What every room may import. */
const FOUNDATIONS = [
  'database',
  'events',
  'upstream',
  'http',
  'grpc',
  'protocol',
  'errors',
  'json-depth',
  'config',
  'config-options',
  'log',
  'telemetry',
];

/**
 * The house: each room and what it may import besides itself. `protocol` is pure; core knows no face; a face knows no
 * SQL and no other face; only the entries know `app`.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  'json-depth': [],
  'config-options': [],
  config: ['config-options', 'errors'],
  log: [],
  protocol: ['errors', 'json-depth'],
  grpc: ['protocol'],
  database: ['errors', 'migrations'],
  events: ['errors'],
  upstream: ['errors', 'protocol', 'database', 'log'],
  http: ['errors', 'auth', 'database', 'log'],
  auth: ['errors', 'database'],
  registry: [...FOUNDATIONS, 'auth'],
  tasks: [...FOUNDATIONS, 'auth', 'registry'],
  graphql: ['errors', 'events', 'protocol', 'auth', 'registry', 'tasks', 'gateway', 'database/ids'],
  a2a: ['errors', 'protocol', 'events', 'http', 'grpc', 'auth', 'registry', 'tasks', 'log', 'database/ids'],
  flyte: ['errors', 'protocol', 'grpc', 'auth', 'registry', 'tasks', 'events', 'log', 'database/ids'],
  telemetry: [],
  gateway: ['errors', 'json-depth', 'auth', 'http', 'log', 'telemetry', 'database/ids'],
  cli: [
    'app',
    'config',
    'config-options',
    'errors',
    'log',
    'auth',
    'database',
    'registry',
    'graphql',
    'gateway',
    'protocol',
  ],
  app: ['*'],
  main: ['cli', 'config'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function imports(): Import[] {
  const found: Import[] = [];
  for (const entry of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const file = join(SRC, entry);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      found.push({
        file: entry,
        from: roomOf(entry),
        to: relative(SRC, resolve(dirname(file), target!)).replace(/\.(ts|js)$/, ''),
      });
    }
  }
  return found;
}

const roomOf = (path: string): string =>
  path.startsWith('..') ? path.split('/')[1]! : path.split('/')[0]!.replace(/\.ts$/, '');

function allowed({ from, to }: Import): boolean {
  const room = roomOf(to);
  const may = ROOMS[from];
  if (may === undefined) return false;
  return room === from || may.includes('*') || may.includes(room) || may.includes(to);
}

describe('the borders of the house', () => {
  const all = imports();

  test('every room is known', () => {
    expect([...new Set(all.map((i) => i.from))].filter((room) => ROOMS[room] === undefined)).toEqual([]);
  });

  test('no import crosses a border', () => {
    expect(all.filter((i) => !allowed(i)).map((i) => `${i.file} imports ${i.to}`)).toEqual([]);
  });

  test('nothing but the entries imports app.ts', () => {
    expect(all.filter((i) => i.to === 'app' && !['main', 'cli'].includes(i.from)).map((i) => i.file)).toEqual([]);
  });

  test('the check sees a crossing when there is one', () => {
    expect(allowed({ file: 'a2a/x.ts', from: 'a2a', to: 'database/database' })).toBe(false);
    expect(allowed({ file: 'registry/x.ts', from: 'registry', to: 'graphql/schema' })).toBe(false);
    expect(allowed({ file: 'a2a/x.ts', from: 'a2a', to: 'registry/registry' })).toBe(true);
  });
});
