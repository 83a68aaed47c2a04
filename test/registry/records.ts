import { createHash } from 'node:crypto';
import { createRegistryCore } from '../../src/app/core.ts';
import { LOCAL_USER, type Principal } from '../../src/auth/principal.ts';
import { readConfig } from '../../src/config.ts';
import type { Database } from '../../src/database/database.ts';
import { newId } from '../../src/database/ids.ts';
import { createLog } from '../../src/log.ts';
import { cardV1 } from '../support/card-server.ts';

export const ADMIN = LOCAL_USER;
export const SEED_OWNER = '11111111-1111-4111-8111-111111111111';

export const registryOn = (database: Database) =>
  createRegistryCore(readConfig({ DATABASE_URL: 'memory://' }), database, createLog('silent'), () => ({
    publicUrl: 'http://localhost/',
    auth: 'none',
  })).registry;
type Registry = ReturnType<typeof registryOn>;

/** Every record that the principal may see, page by page. */
export async function exported(
  registry: Registry,
  principal: Principal = ADMIN,
  first = 200,
): Promise<Record<string, any>[]> {
  const all: Record<string, any>[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Registry['exportRecords']>> = await registry.exportRecords(principal, {
      first,
      after,
    });
    all.push(...page.records);
    after = page.next;
  } while (after !== null);
  return all;
}

export const agent = (handle: string, more: Record<string, unknown> = {}) => ({
  kind: 'agent',
  handle,
  name: handle,
  executionType: 'api',
  ...more,
});

export function card() {
  const body = Buffer.from(JSON.stringify(cardV1()));
  return {
    url: 'https://weather.example/.well-known/agent-card.json',
    body: body.toString('base64'),
    digest: createHash('sha256').update(body).digest('hex'),
    etag: '"1"',
    fetchedAt: '2026-01-31T10:20:30.123Z',
  };
}

/** One agent with something in every field that a record has. */
export const RICH = agent('weather', {
  id: newId(),
  owner: SEED_OWNER,
  description: 'Zeilen\nmit \u2028 Umlauten: äöü 🌦',
  version: '2.1',
  type: 'multimodal',
  executionType: 'flyte',
  status: 'deprecated',
  visibility: 'private',
  url: 'https://weather.example/rpc',
  inputModes: ['text/plain', 'image/png'],
  outputModes: ['application/json'],
  capabilities: ['forecasts'],
  interfaces: [
    { url: 'https://weather.example/rpc', binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0', tenant: 't' },
  ],
  extensions: [{ uri: 'https://ext.example/1', required: true, params: { z: 1, a: [null, { b: 2.5 }] } }],
  documentationUrl: 'https://weather.example/docs',
  iconUrl: 'https://weather.example/icon',
  provider: { name: 'Sky', url: 'https://sky.example/' },
  authenticationType: 'apiKey',
  streaming: true,
  pushNotifications: true,
  stateTransitionHistory: true,
  retrySafe: true,
  flyteName: 'weather-flyte',
  isSync: true,
  taskCategories: [
    { name: 'spark', version: 1 },
    { name: 'forecast', version: 0 },
  ],
  deployments: [
    {
      id: newId(),
      endpoint: 'spark.internal:8000',
      tls: false,
      generation: 1,
      weight: 90,
      draining: true,
      timeouts: { getTask: 500, createTask: 30_000 },
      createdAt: '2025-03-03T03:03:03.333Z',
    },
    { endpoint: '[fd00::1]:443', generation: 2 },
  ],
  skills: [
    { id: newId(), key: 'z-last', name: 'Z', tags: ['b', 'a'], examples: ['one', 'two'], inputModes: ['text/plain'] },
    { key: 'a-first', name: 'A', createdAt: '2025-05-05T05:05:05.555Z' },
  ],
  card: card(),
  createdAt: '2025-01-02T03:04:05.678Z',
  updatedAt: '2025-02-03T04:05:06.789+01:00',
});
