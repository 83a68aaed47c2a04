/**
 * How long a test waits for what comes by itself: only to tell that it never comes, as other test files may be keeping the
 * machine busy. Shorter than every period after which it would come anyway, so that what is to come by an event does.
 */
export const SOON = { timeout: 20_000, interval: 10 } as const;

/** For a test that takes a while even where nothing else runs: as {@link SOON}, only to tell that it never ends. */
export const LONG = { timeout: 600_000 } as const;
