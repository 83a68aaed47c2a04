import { setTimeout as wait } from 'node:timers/promises';
import { inTurns } from '../bursts.ts';
import type { Asker } from '../processes.ts';
import { median } from '../statistics.ts';
import type { A2aJobs } from './load.ts';
import { startServers } from './set-up.ts';

export interface OpenStreamsRow {
  readonly server: string;
  readonly streams: number;
  /** Chunks a second on all streams together. */
  readonly perSecond: number;
  /** Resident memory that each open stream added, in KiB: once they are open, and after the chunks. */
  readonly opened: number;
  readonly used: number;
  /** Milliseconds from the agent's writing to the client's reading. */
  readonly p50: number;
  readonly p99: number;
}

export interface OpenStreamsOptions {
  readonly streams: number;
  readonly rounds: number;
  readonly ms: number;
  readonly everyMs: number;
  readonly env: Record<string, string>;
  tell(line: string): void;
}

/** What a server does for its first streams (compiling code, opening connections to the database) is no stream's memory. */
const WARM_UP_STREAMS = 200;
const SETTLE_MS = 1_000;

/** Many open streams on one process, of new servers each time: freed memory that a process keeps would hide what streams take. */
export async function measureOpenStreams(
  asker: Asker<A2aJobs>,
  { streams, rounds, ms, everyMs, env, tell }: OpenStreamsOptions,
): Promise<OpenStreamsRow[]> {
  const names = ['Rollcall', 'pass-through'] as const;
  const results = await inTurns(names, rounds, async (name, round) => {
    tell(`${streams.toLocaleString('en')} open streams through ${name}, round ${round + 1} of ${rounds}`);
    const servers = await startServers(env);
    try {
      const [server, url] =
        name === 'Rollcall' ? [servers.rollcall, servers.streamingUrl] : [servers.pass, servers.pass.url];
      const agentUrl = servers.agent.url;
      await asker.ask('hold', { url, streams: Math.min(WARM_UP_STREAMS, streams) });
      await asker.ask('release', { agentUrl });
      await wait(SETTLE_MS);
      const idle = server.memory();
      await asker.ask('hold', { url, streams });
      await wait(SETTLE_MS);
      const opened = ((server.memory() - idle) / streams) * 1_024;
      const { delivered, p50, p99 } = await asker.ask('drip', { agentUrl, streams, ms, everyMs });
      const used = ((server.memory() - idle) / streams) * 1_024;
      await asker.ask('release', { agentUrl });
      return { perSecond: (delivered / ms) * 1_000, opened, used, p50, p99 };
    } finally {
      await servers.stop();
    }
  });
  return names.map((name) => {
    const of = (key: 'perSecond' | 'opened' | 'used' | 'p50' | 'p99') => median(results[name].map((one) => one[key]));
    return {
      server: name,
      streams,
      perSecond: of('perSecond'),
      opened: of('opened'),
      used: of('used'),
      p50: of('p50'),
      p99: of('p99'),
    };
  });
}
