/** Exit codes: 0 done, or stopped as asked; 1 failed; 2 wrong configuration or usage. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** The command was called wrongly, or a setting is wrong: exit code 2. */
export class UsageError extends Error {}

/** The command said on standard output or error what is wrong: exit code 1 and nothing more. */
export class AlreadyTold extends Error {}
