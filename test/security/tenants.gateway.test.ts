import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { data, startTestApp } from '../support/app.ts';
import { afterTheTest } from '../support/cleanup.ts';
import { tokenFor } from '../support/tokens.ts';
import { socketClient } from './doors.ts';
import { MIRROR_SDL, type Mirror, startMirror } from './support/mirror-subgraph.ts';
import { WORLD_SETTINGS } from './support/world.ts';

/** Two tenants whose equal requests to another team's subgraph are under way at the same moment. */

const cleanup = afterTheTest();

/** A server in front of a subgraph that is told who asks. */
async function start(): Promise<{ readonly app: App; readonly mirror: Mirror }> {
  const mirror = await startMirror();
  cleanup(() => mirror.close());
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-tenants-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  const entry = { name: 'mirror', url: mirror.url, sdl: MIRROR_SDL, forwardHeaders: ['authorization'] };
  writeFileSync(join(folder, 'subgraphs.json'), JSON.stringify([entry]));
  const app = await startTestApp({ ...WORLD_SETTINGS, SUBGRAPHS: join(folder, 'subgraphs.json') });
  cleanup(() => app.close());
  return { app, mirror };
}

async function tenant(app: App) {
  const subject = randomUUID();
  const token = await tokenFor(subject);
  const { client } = socketClient(app, token);
  cleanup(() => client.dispose());
  return {
    subject,
    asks: async (more = ''): Promise<string> =>
      (await data(app.addresses.url, `{ whoAsks${more} }`, {}, token))['whoAsks'],
    watches: async (more = ''): Promise<unknown> => {
      for await (const event of client.iterate({ query: `subscription { whoWatches${more} }` }))
        return event.data?.['whoWatches'] ?? event.errors;
      return undefined;
    },
  };
}

test.each(['asks', 'watches'] as const)('each gets their own answer, where both %s the same', async (way) => {
  const { app, mirror } = await start();
  const [a, b] = [await tenant(app), await tenant(app)];
  const first = [a[way]()];
  await Promise.race([mirror.asked, ...first]);
  const second = Array.from({ length: 3 }, () => b[way]());
  // Another text: it is sent whatever is shared, and ends the waiting of all.
  second.push(b[way]('(last: true)'));
  expect(await Promise.all(first)).toEqual([a.subject]);
  expect(await Promise.all(second)).toEqual(Array(4).fill(b.subject));
});
