import type { Spread } from '../bursts.ts';
import { table } from '../statistics.ts';

/** One server at one kind of request. */
export interface AuthRow {
  readonly what: string;
  /** `none`, or the algorithm of the tokens. */
  readonly name: string;
  /** Processor time of the server for a request, in milliseconds. */
  readonly processorMs: Spread;
  /** The lowest in relation to the lowest of `none`: what else the machine does can only add to it. */
  readonly ofLowest: number;
  /** In relation to `none` in the same round. */
  readonly ratio: Spread;
}

export interface AuthFigures {
  readonly machine: Readonly<Record<string, string>>;
  readonly plan: { readonly requests: number; readonly rounds: number };
  readonly rows: readonly AuthRow[];
}

const more = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;

/** The result for people. */
export function report({ machine, plan, rows }: AuthFigures): string {
  return [
    '# Signing in and rights',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    `Processor time of the server for a request; ${plan.rounds} rounds of ${plan.requests} requests each, in turns.`,
    '',
    table(
      ['request', 'tokens', 'lowest ms', 'more than none', 'median ms', 'more than none, in the same round'],
      rows.map(({ what, name, processorMs, ofLowest, ratio }) => [
        what,
        name,
        processorMs.lowest.toFixed(3),
        more(ofLowest),
        processorMs.median.toFixed(3),
        more(ratio.median),
      ]),
    ),
  ].join('\n');
}
