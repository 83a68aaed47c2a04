import type { Io } from './io.ts';

/** Tells on standard error how far long work has come. */
export interface Progress {
  /** Replaces what was shown; shown now and then, not each time. */
  show(text: string): void;
  /** Shows the last text and ends its line. */
  done(): void;
}

/** Redrawn this often on a terminal, and written this often elsewhere, in milliseconds. */
const TERMINAL_MS = 100;
const LINES_MS = 2_000;

/** Shows progress on a terminal, or anywhere when asked for; else shows nothing. */
export function createProgress(io: Io, asked: boolean | undefined): Progress {
  const terminal = io.stderr.isTTY === true;
  if (!terminal && asked !== true) return { show: () => undefined, done: () => undefined };
  let last = -Infinity;
  let shown = '';
  let latest = '';
  const draw = (): void => {
    if (latest === shown) return;
    io.stderr.write(terminal ? `\r\u001b[K${latest}` : `${latest}\n`);
    shown = latest;
  };
  return {
    show(text) {
      latest = text;
      const now = performance.now();
      if (now - last < (terminal ? TERMINAL_MS : LINES_MS)) return;
      last = now;
      draw();
    },
    done() {
      draw();
      if (terminal && shown !== '') io.stderr.write('\n');
      latest = shown = '';
      last = -Infinity;
    },
  };
}
