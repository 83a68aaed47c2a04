import { shownRange } from '../bursts.ts';
import { shown, table } from '../statistics.ts';
import type { ListingRow } from './listing.ts';
import type { RoutedFigures, RoutedRow } from './routed.ts';

export interface GrpcFigures {
  readonly machine: Readonly<Record<string, string>>;
  readonly listing: readonly ListingRow[];
  readonly routed: RoutedFigures;
}

/** The figures as Markdown. */
export function report({ machine, listing, routed: { get, create, latency, created, stored } }: GrpcFigures): string {
  const n = (count: number): string => count.toLocaleString('en');
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '### Listing',
    table(
      [
        '',
        'bytes',
        'Rollcall /s',
        'bare server /s',
        'ratio',
        'lowest to highest',
        'p50 ms',
        'bare server',
        'processor ms',
        'bare server',
      ],
      listing.map(({ agents, method, bytes, ours, peer, ratio }) => [
        `${method}, ${n(agents)} agents`,
        n(bytes),
        shown(ours.perSecond),
        shown(peer.perSecond),
        ratio.median.toFixed(2),
        shownRange(ratio),
        shown(ours.p50),
        shown(peer.p50),
        shown(ours.processorMs),
        shown(peer.processorMs),
      ]),
    ),
    '### Routed tasks',
    throughput(get),
    table(
      ['', 'Rollcall ms', 'direct ms', 'added', 'lowest to highest', 'p99 ms', 'direct'],
      [
        [
          'GetTask, one at a time',
          shown(latency.routed),
          shown(latency.direct),
          latency.added.median.toFixed(2),
          shownRange(latency.added),
          shown(latency.routedP99),
          shown(latency.directP99),
        ],
      ],
    ),
    '### Tasks created',
    throughput(create),
    `CreateTask made ${n(created)} tasks through Rollcall, of which ${n(stored)} are in the database.`,
  ].join('\n\n');
}

const throughput = ({ method, routed, direct, ratio }: RoutedRow): string =>
  table(
    ['', 'Rollcall /s', 'direct /s', 'ratio', 'lowest to highest', 'p50 ms', 'direct', 'processor ms', 'direct'],
    [
      [
        method,
        shown(routed.perSecond),
        shown(direct.perSecond),
        ratio.median.toFixed(2),
        shownRange(ratio),
        shown(routed.p50),
        shown(direct.p50),
        shown(routed.processorMs),
        shown(direct.processorMs),
      ],
    ],
  );
