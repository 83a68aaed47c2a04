import { afterAll, beforeAll, expect, test } from 'vitest';
import { LONG } from '../support/soon.ts';
import { FACES } from './support/fuzz/faces.ts';
import { fuzz } from './support/fuzz/run.ts';
import { startTarget, type Target } from './support/fuzz/target.ts';

/** As many as an ordinary run has time for; `node test/security/fuzz.ts` does more of the same. */
const CASES = 2_000;

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target?.close());

test(
  'changed requests are answered in their protocol: no crash, no hang, no failure of ours, no memory lost',
  LONG,
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const report = await fuzz(target, { cases: CASES, seed }).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    expect(report.cases, `seed ${seed}`).toBeGreaterThanOrEqual(CASES);
    for (const { name } of FACES)
      expect(report.byFace[name], `${name}, seed ${seed}`).toBeGreaterThan(CASES / FACES.length / 3);
  },
);
