import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ask } from '../support/app.ts';
import { startTeamSubgraph, type TeamSubgraph } from '../support/team-subgraph.ts';
import { folder, run, spawnCli } from './support.ts';

let team: TeamSubgraph;
let list: string;
beforeEach(() => {
  list = join(folder(), 'subgraphs.json');
  writeFileSync(list, JSON.stringify([{ name: 'costs', url: team.url }]));
});
beforeAll(async () => {
  team = await startTeamSubgraph({ sdl: 'type Query { currency: String! }', root: { currency: 'EUR' } });
});
afterAll(() => team?.close());

test('rollcall gateway serves remote subgraphs without any database, and drains on SIGTERM', async () => {
  const elsewhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
  const { child, done } = spawnCli(['gateway', '--subgraphs', list, '--port', '0'], elsewhere);
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: string) => {
        said += chunk;
        const [, found] = /GraphQL\s+(http\S+)graphql\s/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      void done().then(({ stderr }) => reject(new Error(stderr)));
    });
    for (;;) {
      const { status } = await fetch(new URL('health', url));
      if (status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await ask(url, '{ currency }')).data).toEqual({ currency: 'EUR' });
    expect((await ask(url, '{ agents { nodes { id } } }')).errors).toBeDefined();
    const stopped = performance.now();
    child.kill('SIGTERM');
    expect((await done()).code).toBe(0);
    expect(performance.now() - stopped).toBeLessThan(5_000);
  } finally {
    child.kill('SIGKILL');
  }
});

test('it asks for a graph, and names what is wrong with a setting', async () => {
  expect(await run(['gateway'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--supergraph or --subgraphs'),
  });
  expect(await run(['gateway', '--subgraphs', list, '--port', 'x'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PORT'),
  });
  expect(await run(['gateway', '--subgraphs', list, '--host', '0.0.0.0'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('AUTH_MODE'),
  });
});
