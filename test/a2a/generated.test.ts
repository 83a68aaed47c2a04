import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const generated = 'src/protocol/a2a/generated/descriptors.ts';
const buf = join(root, 'node_modules/.bin/buf');

const probe = spawnSync(buf, ['--version'], { encoding: 'utf8' });
const unavailable = probe.status === 0 ? undefined : `buf cannot run here: ${probe.error?.message ?? probe.stderr}`;
if (unavailable !== undefined) process.stderr.write(`skipped: ${generated} is not compared (${unavailable})\n`);

const temporary = await mkdtemp(join(tmpdir(), 'rollcall-generated-a2a-'));
afterAll(() => rm(temporary, { recursive: true, force: true }));

describe('the generated descriptors', () => {
  it.skipIf(unavailable !== undefined)('are what protos/a2a.proto generates', async () => {
    const template = ['--template', 'buf.gen.a2a.yaml'];
    const run = spawnSync(buf, ['generate', ...template, '-o', join(temporary, 'protos')], {
      cwd: join(root, 'protos'),
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    const [expected, committed] = await Promise.all(
      [temporary, root].map((directory) => readFile(join(directory, generated), 'utf8')),
    );
    // Not a comparison of the texts: their difference helps nobody.
    expect(expected === committed, `run \`npx buf generate ${template.join(' ')}\` in protos/`).toBe(true);
  });
});
