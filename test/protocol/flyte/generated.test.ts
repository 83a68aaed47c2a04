import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const generated = 'src/protocol/flyte/generated';
const buf = join(root, 'node_modules/.bin/buf');

const probe = spawnSync(buf, ['--version'], { encoding: 'utf8' });
const unavailable = probe.status === 0 ? undefined : `buf cannot run here: ${probe.error?.message ?? probe.stderr}`;
if (unavailable !== undefined) process.stderr.write(`skipped: ${generated} is not compared (${unavailable})\n`);

const temporary = await mkdtemp(join(tmpdir(), 'rollcall-generated-'));
afterAll(() => rm(temporary, { recursive: true, force: true }));

async function tree(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return Object.fromEntries(files.map((file, at) => [file.slice(directory.length + 1), texts[at] ?? '']));
}

describe('the generated code', () => {
  it.skipIf(unavailable !== undefined)('is what protos/ generates', async () => {
    const run = spawnSync(buf, ['generate', '-o', join(temporary, 'protos')], {
      cwd: join(root, 'protos'),
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const [expected, committed] = await Promise.all([tree(join(temporary, generated)), tree(join(root, generated))]);
    expect(Object.keys(committed).sort()).toEqual(Object.keys(expected).sort());
    // Names first: the difference of two whole files helps nobody.
    const changed = Object.keys(expected).filter((name) => expected[name] !== committed[name]);
    expect(changed, 'run `npx buf generate` in protos/').toEqual([]);
  });
});
