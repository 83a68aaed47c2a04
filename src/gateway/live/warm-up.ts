import { parse, validate } from 'graphql';
import type { Engine, OperationText } from '../engine.ts';

/** A new graph waits this long for its plans at most: operations that are not planned by then are when they come. */
const LONGEST_MS = 2_000;

/** Plans operations ahead, so that a swap makes no caller wait. Those that the new graph does not know are left out. */
export async function warmUp(engine: Engine, operations: readonly OperationText[]): Promise<void> {
  if (engine.prepare === undefined) return;
  const until = performance.now() + LONGEST_MS;
  for (const { text, operationName } of operations) {
    if (performance.now() > until) return;
    try {
      const document = parse(text);
      if (validate(engine.schema, document).length > 0) continue;
      await engine.prepare(document, operationName);
    } catch {
      // Its callers learn of it.
    }
  }
}
