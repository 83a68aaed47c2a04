import { type LoadResult, type Spread, shownRange } from '../bursts.ts';
import { shown, table } from '../statistics.ts';
import { CONTENDERS, type Contender, type JoinRow } from './joins.ts';
import type { PlanningFigures } from './planning.ts';
import type { SubscriptionFigures } from './subscriptions.ts';
import type { SwapFigures } from './swap.ts';
import { TEAMS } from './teams.ts';

export interface FederationFigures {
  readonly machine: Readonly<Record<string, string>>;
  readonly joins: readonly JoinRow[];
  readonly subscriptions: SubscriptionFigures;
  readonly planning: PlanningFigures;
  readonly swap: SwapFigures;
}

const ORDER: readonly Contender[] = ['hot', 'plain', 'hive', 'apollo', 'ceiling'];

function joinTable({ what, bursts, toHive, toApollo }: JoinRow): string {
  const head = ['', '/s', '× Hive', 'lowest to highest', '× Apollo', 'p50 ms', 'p99 ms', 'processor ms'];
  const rows = ORDER.map((name) => {
    const { perSecond, p50, p99, processorMs } = bursts[name];
    return [
      CONTENDERS[name],
      shown(perSecond),
      toHive[name].median.toFixed(2),
      shownRange(toHive[name]),
      toApollo[name].median.toFixed(2),
      shown(p50),
      shown(p99),
      shown(processorMs),
    ];
  });
  return `#### ${what[0]!.toUpperCase()}${what.slice(1)}\n\n${table(head, rows)}`;
}

const range = ({ lowest, highest }: Spread): string => `${shown(lowest)} to ${shown(highest)}`;

function planningTable({ compose, engine, validate, plan }: PlanningFigures, swap: SwapFigures): string {
  const row = (what: string, spread: Spread): string[] => [what, shown(spread.median), range(spread)];
  return table(
    ['', 'ms', 'lowest to highest'],
    [
      row('compose the supergraph', compose),
      row('build the engine, planner process and all', engine),
      row('parse and validate an operation', validate),
      row('plan and compile an operation', plan),
      row(`swap under load: compose, build, plan ${swap.operations} operations`, swap.ms),
      row('of that, the longest time in which nothing else ran', swap.blockedMs),
    ],
  );
}

const loadRow = (what: string, { answered, perSecond, p50, p99 }: LoadResult): string[] => [
  what,
  answered.toLocaleString('en'),
  shown(perSecond),
  shown(p50),
  shown(p99),
];

/** The figures as Markdown. */
export function report({ machine, joins, subscriptions, planning, swap }: FederationFigures): string {
  const { one, all } = subscriptions;
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '### Gateways (16 connections, each gateway in a process of its own, in turns)',
    ...joins.map(joinTable),
    `### ${subscriptions.count.toLocaleString('en')} open subscriptions, each on its own socket`,
    table(
      ['', 'KiB each'],
      [
        ['in use', shown(subscriptions.usedKiB)],
        ['resident', shown(subscriptions.residentKiB)],
      ],
    ),
    table(
      ['From the event to the client, enriched', 'events', 'p50 ms', 'p99 ms'],
      [
        [
          `one at a time, ${shown(one.perSecond)} a second`,
          one.events.toLocaleString('en'),
          shown(one.p50),
          shown(one.p99),
        ],
        ['all subscriptions at once', all.events.toLocaleString('en'), shown(all.p50), shown(all.p99)],
      ],
    ),
    `### A supergraph of ${TEAMS} subgraphs (${Math.round(planning.supergraphBytes / 1024)} KiB)`,
    planningTable(planning, swap),
    'No request failed: a run with a failed one has no figures.',
    table(
      ['Load', 'answered', '/s', 'p50 ms', 'p99 ms'],
      [loadRow('without swaps', swap.calm), loadRow(`${swap.swaps} swaps`, swap.swapping)],
    ),
  ].join('\n\n');
}
