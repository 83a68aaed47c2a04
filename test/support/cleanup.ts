import { afterEach } from 'vitest';

/** Takes what ends or removes something that a test began. */
export type Cleanup = (work: () => unknown) => void;

/**
 * For the top of a file: what it is given runs after the test, last first, and each of it whatever another one throws.
 */
export function afterTheTest(): Cleanup {
  const works: (() => unknown)[] = [];
  afterEach(async () => {
    const failures: unknown[] = [];
    for (const work of works.splice(0).reverse()) {
      try {
        await work();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'the test could not be cleaned up');
  });
  return (work) => void works.push(work);
}
