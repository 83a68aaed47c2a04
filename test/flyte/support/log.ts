import type { FlyteLog } from '../../../src/flyte/source.ts';

export interface RecordedLog extends FlyteLog {
  readonly lines: { readonly level: 'info' | 'warn' | 'error'; readonly message: string; readonly fields: object }[];
}

/** A log that keeps its lines for the test to read. */
export function recordedLog(): RecordedLog {
  const lines: RecordedLog['lines'] = [];
  const write = (level: 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: write('info'), warn: write('warn'), error: write('error') };
}
