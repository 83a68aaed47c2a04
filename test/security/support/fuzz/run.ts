import fc from 'fast-check';
import { FACES, type Valid } from './faces.ts';
import { type Mutation, mutate, mutation } from './mutations.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** Is told how far it is, now and then. */
  readonly progress?: (done: number) => void;
}

export interface FuzzReport {
  readonly cases: number;
  readonly byFace: Readonly<Record<string, number>>;
  /** Bytes in use after garbage collections, after each tenth of the cases. */
  readonly heap: readonly number[];
}

/** So many requests are on their way at once. */
const AT_ONCE = 20;
/** How often the heap is looked at. */
const LOOKS = 10;
/** What may be added in the second half: in a long run whatever has a bound is full by then. */
const MAX_GROWTH = 16 * 1024 * 1024;

interface Case {
  readonly face: number;
  readonly valid: number;
  readonly how: Mutation;
}

const aCase: fc.Arbitrary<Case> = fc.record({
  face: fc.nat({ max: FACES.length - 1 }),
  valid: fc.nat(),
  how: mutation,
});

/**
 * Sends changed requests through every door of a server.
 *
 * @throws Error naming the request, as base64, that was not answered as it should be; or what the server logged.
 */
export async function fuzz(target: Target, { cases, seed, progress }: FuzzOptions): Promise<FuzzReport> {
  const valid: readonly (readonly Valid[])[] = FACES.map((face) => face.valid(target));
  for (const [i, face] of FACES.entries())
    for (const request of valid[i]!) await face.send(target, request.bytes, request);
  const byFace: Record<string, number> = {};
  let done = 0;

  const run = async ({ face: which, valid: index, how }: Case): Promise<void> => {
    const face = FACES[which]!;
    const request = valid[which]![index % valid[which]!.length]!;
    const bytes = mutate(request.bytes, how);
    try {
      await face.send(target, bytes, request);
    } catch (error) {
      const where = [face.name, request.method, request.path].filter(Boolean).join(' ');
      throw new Error(
        `${where}, ${bytes.toString('base64').slice(0, 4_000)}\n${String((error as Error).message ?? error)}`,
      );
    }
    byFace[face.name] = (byFace[face.name] ?? 0) + 1;
    done += 1;
    if (done % 1_000 === 0) progress?.(done);
  };
  const batches = async (count: number, part: number): Promise<void> => {
    const batch = fc.array(aCase, { minLength: AT_ONCE, maxLength: AT_ONCE });
    const each = fc.asyncProperty(batch, async (all) => {
      await Promise.all(all.map(run));
    });
    const told = await fc.check(each, { numRuns: Math.ceil(count / AT_ONCE), seed: seed + part, endOnFailure: true });
    if (told.failed) throw told.errorInstance;
  };

  const heap: number[] = [];
  for (let part = 0; part < LOOKS; part++) {
    await batches(cases / LOOKS, part);
    heap.push(await target.heap());
  }

  if (target.server.child.exitCode !== null)
    throw new Error(`the server ended:\n${target.server.stderr().slice(-4_000)}`);
  const ready = await fetch(`${target.url}health/ready`);
  if (!ready.ok) throw new Error(`the server is not ready: ${await ready.text()}`);
  const errors = target.server
    .stderr()
    .split('\n')
    .filter((line) => /"level":[56]0/.test(line));
  if (errors.length > 0)
    throw new Error(`the server logged ${errors.length} errors, the first: ${errors[0]!.slice(0, 2_000)}`);
  if (heap.at(-1)! - heap[LOOKS / 2 - 1]! > MAX_GROWTH)
    throw new Error(`the heap grew; bytes after each ${done / LOOKS} cases: ${heap.join(', ')}`);
  return { cases: done, byFace, heap };
}
