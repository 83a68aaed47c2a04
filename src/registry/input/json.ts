import { z } from 'zod';

const DEEPEST = 32;
const LARGEST = 64 * 1024;

/** What jsonb refuses in a text. */
const refused = (text: string): boolean => text.includes('\0') || !text.isWellFormed();

function problemOf(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string')
    return refused(value) ? 'contains a NUL character or an unpaired surrogate' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= DEEPEST) return `nests deeper than ${DEEPEST} levels`;
  for (const [key, inner] of Object.entries(value)) {
    const problem = problemOf(key) ?? problemOf(inner, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Refuses a JSON value that the database would refuse, or that is too large to be kept with an agent. */
export function checkJson(value: unknown, context: z.core.$RefinementCtx): void {
  const problem =
    problemOf(value) ??
    (JSON.stringify(value).length > LARGEST ? `is larger than ${LARGEST} characters as JSON` : undefined);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
}
