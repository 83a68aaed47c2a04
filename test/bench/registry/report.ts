import { shown, table } from '../statistics.ts';
import type { LatencyRow } from './latency.ts';
import type { StartUpRow } from './start-up.ts';
import type { ThroughputRow } from './throughput.ts';

export interface RegistryFigures {
  readonly machine: Readonly<Record<string, string>>;
  readonly compareAt: number;
  readonly throughput: readonly ThroughputRow[];
  /** By the number of agents. */
  readonly latency: ReadonlyMap<number, readonly LatencyRow[]>;
  readonly startUp: readonly StartUpRow[];
}

/** The figures as Markdown. */
export function report({ machine, compareAt, throughput, latency, startUp }: RegistryFigures): string {
  const sizes = [...latency.keys()];
  const cases = [...(latency.values().next().value ?? [])].map((row) => row.case);
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    `### Against a bare peer (${compareAt.toLocaleString('en')} agents, 16 connections)`,
    table(
      ['', 'Rollcall /s', 'peer /s', 'ratio', 'lowest to highest', 'p50 ms', 'peer', 'processor ms', 'peer'],
      throughput.map(({ what, ours, peer, ratio, ratios }) => [
        what,
        shown(ours.perSecond),
        shown(peer.perSecond),
        ratio.toFixed(2),
        `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
        shown(ours.p50),
        shown(peer.p50),
        shown(ours.processorMs),
        shown(peer.processorMs),
      ]),
    ),
    '### Lists by number of agents (ms of one request at a time, median / lowest; then 8 kB blocks that the statement touches)',
    table(
      [
        '',
        ...sizes.map((size) => `${size.toLocaleString('en')}: ms`),
        ...sizes.map((size) => `${size.toLocaleString('en')}: blocks`),
      ],
      cases.map((one, i) => {
        const rows = sizes.map((size) => latency.get(size)![i]!);
        return [
          `${one.group}: ${one.name}`,
          ...rows.map((row) => `${shown(row.p50)} / ${shown(row.lowest)}`),
          ...rows.map((row) => row.blocks.toLocaleString('en')),
        ];
      }),
    ),
    '### Start and memory',
    table(
      ['', 'ready after ms', 'resident MiB, idle'],
      startUp.map(({ what, readyMs, memoryMiB }) => [what, shown(readyMs), shown(memoryMiB)]),
    ),
  ].join('\n\n');
}
