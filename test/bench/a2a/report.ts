import { shownRange } from '../bursts.ts';
import { shown, table } from '../statistics.ts';
import type { MessagesRow, Stored } from './messages.ts';
import type { OpenStreamsRow } from './open-streams.ts';
import type { ChunksRow, FirstEventRow } from './streams.ts';

export interface A2aFigures {
  readonly machine: Readonly<Record<string, string>>;
  readonly messages: readonly MessagesRow[];
  readonly stored: Stored;
  readonly firstEvent: readonly FirstEventRow[];
  /** What the database takes for a commit by itself. */
  readonly commitMs: number;
  readonly chunks: readonly ChunksRow[];
  readonly openStreams: readonly OpenStreamsRow[];
}

const small = (n: number): string => (Math.abs(n) < 1 ? n.toFixed(3) : shown(n));
const orNone = (n: number | undefined): string => (n === undefined ? '–' : small(n));

/** The figures as Markdown. */
export function report({ machine, messages, stored, firstEvent, commitMs, chunks, openStreams }: A2aFigures): string {
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '### Messages',
    table(
      [
        'connections',
        'Rollcall /s',
        'SDK in memory /s',
        'ratio',
        'lowest to highest',
        'agent that streams /s',
        'ratio',
        'lowest to highest',
      ],
      messages.map((row) => [
        String(row.connections),
        shown(row.ours.perSecond),
        shown(row.sdk.perSecond),
        row.toSdk.median.toFixed(2),
        shownRange(row.toSdk),
        shown(row.streaming.perSecond),
        row.streamingToSdk.median.toFixed(2),
        shownRange(row.streamingToSdk),
      ]),
    ),
    table(
      [
        'connections',
        'bare durable server /s',
        'Rollcall / bare',
        'lowest to highest',
        'bare / SDK',
        'lowest to highest',
        'p50 ms',
        'bare',
        'processor ms',
        'bare',
      ],
      messages.map((row) => [
        String(row.connections),
        shown(row.durable.perSecond),
        row.toDurable.median.toFixed(2),
        shownRange(row.toDurable),
        row.durableToSdk.median.toFixed(2),
        shownRange(row.durableToSdk),
        ...(['p50', 'processorMs'] as const).flatMap((key) =>
          [row.ours, row.durable].map((burst) => shown(burst[key])),
        ),
      ]),
    ),
    table(
      [
        'connections',
        'pass-through /s',
        'Rollcall / pass-through',
        'lowest to highest',
        'agent alone /s',
        'p50 ms',
        'SDK',
        'pass-through',
        'p99 ms',
        'SDK',
        'pass-through',
        'processor ms',
        'SDK',
        'pass-through',
      ],
      messages.map((row) => [
        String(row.connections),
        shown(row.pass.perSecond),
        row.toPass.median.toFixed(2),
        shownRange(row.toPass),
        shown(row.agent.perSecond),
        ...(['p50', 'p99', 'processorMs'] as const).flatMap((key) =>
          [row.ours, row.sdk, row.pass].map((burst) => shown(burst[key])),
        ),
      ]),
    ),
    `Stored and checked: ${stored.tasks.toLocaleString('en')} completed tasks, ${stored.eventsPerTask.toFixed(2)} events each in the log.`,
    '### Streams',
    table(
      [
        '',
        'Rollcall ms',
        'pass-through ms',
        'added',
        'lowest to highest',
        'p99 ms',
        'pass-through',
        'bare durable server ms',
        'added',
        'lowest to highest',
      ],
      firstEvent.map((row) => [
        row.what,
        shown(row.ours),
        shown(row.pass),
        row.added.median.toFixed(2),
        shownRange(row.added),
        shown(row.oursP99),
        shown(row.passP99),
        shown(row.durable),
        row.durableAdded.median.toFixed(2),
        shownRange(row.durableAdded),
      ]),
    ),
    `One commit of one row by itself takes this database ${shown(commitMs)} ms.`,
    table(
      [
        'chunks',
        'ms',
        'pass-through',
        'ms a chunk',
        'pass-through',
        'ms a further chunk',
        'pass-through',
        'processor ms a chunk',
      ],
      chunks.map((row) => [
        row.chunks.toLocaleString('en'),
        shown(row.ours),
        shown(row.pass),
        small(row.ours / row.chunks),
        small(row.pass / row.chunks),
        orNone(row.further),
        orNone(row.passFurther),
        small(row.processorMs),
      ]),
    ),
    ...linear(chunks),
    '### Open streams',
    table(
      ['', 'streams', 'chunks /s', 'KiB a stream, open', 'KiB a stream, in use', 'delivery p50 ms', 'p99 ms'],
      openStreams.map((row) => [
        row.server,
        row.streams.toLocaleString('en'),
        shown(row.perSecond),
        shown(row.opened),
        shown(row.used),
        shown(row.p50),
        shown(row.p99),
      ]),
    ),
  ].join('\n\n');
}

/** How much dearer a chunk of the longest stream is than one of the stream before it: 1 when cost is linear. */
function linear(chunks: readonly ChunksRow[]): string[] {
  const [before, last] = chunks.slice(-2);
  if (before?.further === undefined || last?.further === undefined) return [];
  const ratio = (a: number, b: number): string => (a / b).toFixed(2);
  return [
    `From ${before.chunks.toLocaleString('en')} to ${last.chunks.toLocaleString('en')} chunks: ms a chunk × ${ratio(last.ours / last.chunks, before.ours / before.chunks)}, ms a further chunk × ${ratio(last.further, before.further)}.`,
  ];
}
