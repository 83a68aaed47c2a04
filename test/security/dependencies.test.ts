import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Open source licences (SPDX) under which an organisation may run, change and host this software. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
]);

/** Whether an SPDX expression leaves a choice that is allowed: of OR one, of AND all. */
function isAllowed(expression: string): boolean {
  const bare = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(bare)) return false;
  return bare.split(/ OR /i).some((choice) => choice.split(/ AND /i).every((licence) => ALLOWED.has(licence.trim())));
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** What the package itself says, where the lock file does not. */
function licenceOf(path: string, { license }: LockedPackage): string {
  const manifest = join(ROOT, path, 'package.json');
  if (license !== undefined) return license;
  if (!existsSync(manifest)) return 'not known';
  const said = JSON.parse(readFileSync(manifest, 'utf8')) as { license?: string | { type: string } };
  return (typeof said.license === 'object' ? said.license.type : said.license) ?? 'none';
}

test('everything that is installed for production is under an open source licence', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const production = Object.entries(lock.packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );
  expect(production.length).toBeGreaterThan(100);
  const refused = production
    .map(([path, entry]) => [path.replace(/^.*node_modules\//, ''), licenceOf(path, entry)] as const)
    .filter(([, licence]) => !isAllowed(licence));
  expect(refused).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['MIT AND Apache-2.0', true],
  ['MIT AND Elastic-2.0', false],
  ['Elastic-2.0', false],
  ['BUSL-1.1', false],
  ['SSPL-1.0', false],
  ['SEE LICENSE IN LICENSE.md', false],
  ['UNLICENSED', false],
  ['none', false],
])('%s: %s', (licence, allowed) => {
  expect(isAllowed(licence)).toBe(allowed);
});
