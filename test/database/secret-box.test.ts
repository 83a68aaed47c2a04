import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSecretBox, keyInDataDirectory } from '../../src/database/secret-box.ts';

const box = createSecretBox('the key of this test');
const place = { table: 'agent', row: '1', column: 'secret' };
const refused = (work: () => unknown) =>
  expect(work).toThrow(expect.objectContaining({ name: 'RollcallError', code: 'FAILED_PRECONDITION' }));

test('what was sealed opens again, and no two seals are alike', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (plain) => {
      const sealed = box.seal(plain, place);
      expect(box.open(sealed, place)).toBe(plain);
      expect(box.seal(plain, place)).not.toBe(sealed);
    }),
  );
});

test.each([
  ['another row', { ...place, row: '2' }],
  ['another column', { ...place, column: 'other' }],
  ['another table', { ...place, table: 'provider' }],
  ['parts that run together', { table: 'agent1', row: '', column: 'secret' }],
])('a seal moved to %s does not open', (_what, elsewhere) => {
  refused(() => box.open(box.seal('planted-secret', place), elsewhere));
});

test('under another key it does not open, and the message says what to do', () => {
  const sealed = createSecretBox('another key of this test').seal('planted-secret', place);
  expect(() => box.open(sealed, place)).toThrow(/^SECRET_KEY: .* set the key it was stored with/);
});

test('a seal that was altered or cut anywhere is refused, and never opens to something else', () => {
  const sealed = box.seal('planted-secret', place);
  for (let cut = 0; cut < sealed.length; cut++) refused(() => box.open(sealed.slice(0, cut), place));
  const [version, key, nonce, body] = sealed.split('.');
  const flipped = Buffer.from(body!, 'base64url');
  flipped[0]! ^= 1;
  refused(() => box.open([version, key, nonce, flipped.toString('base64url')].join('.'), place));
  refused(() => box.open([version, key, '', body].join('.'), place));
  refused(() => box.open([version, key, nonce, 'AA'].join('.'), place));
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-key-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the key of a data directory is made once, for its owner alone', () => {
  const key = keyInDataDirectory(join(folder, 'new'));
  expect(key.length).toBeGreaterThanOrEqual(43);
  expect(keyInDataDirectory(join(folder, 'new'))).toBe(key);
  expect(statSync(join(folder, 'new', 'secret.key')).mode & 0o777).toBe(0o600);
});

test('a key file that is empty is refused, not used', () => {
  writeFileSync(join(folder, 'secret.key'), '\n');
  refused(() => keyInDataDirectory(folder));
});
