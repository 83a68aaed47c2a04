import { type Burst, inTurns, middle, onServer, ratioOf, type Spread } from '../bursts.ts';
import { connect } from '../databases.ts';
import { type Asker, type ServerProcess, startServer } from '../processes.ts';
import type { A2aJobs } from './load.ts';
import type { ComparedServers } from './set-up.ts';

export interface MessagesRow {
  readonly connections: number;
  readonly ours: Burst;
  readonly sdk: Burst;
  readonly pass: Burst;
  readonly durable: Burst;
  readonly agent: Burst;
  /** Rollcall before the agent as one that streams, which it then asks to. */
  readonly streaming: Burst;
  /** Rollcall's messages a second in relation to the others'. */
  readonly toSdk: Spread;
  readonly toPass: Spread;
  readonly toDurable: Spread;
  /** What durability alone leaves of the SDK's rate. */
  readonly durableToSdk: Spread;
  readonly streamingToSdk: Spread;
}

export interface MessagesOptions {
  readonly levels: readonly number[];
  readonly rounds: number;
  readonly ms: number;
  readonly warmUp: { readonly ms: number; readonly most: number };
  tell(line: string): void;
}

/** SendMessage at each number of connections, all servers in turns; and how many messages Rollcall answered. */
export async function measureMessages(
  asker: Asker<A2aJobs>,
  servers: ComparedServers,
  { levels, rounds, ms, warmUp, tell }: MessagesOptions,
): Promise<{ readonly rows: readonly MessagesRow[]; readonly answered: number }> {
  const rows: MessagesRow[] = [];
  let answered = 0;
  for (const connections of levels) {
    // A new one for each level: its store only grows.
    const sdk = await startServer('a2a/servers/sdk.ts');
    const targets: Readonly<
      Record<'ours' | 'streaming' | 'sdk' | 'pass' | 'durable' | 'agent', [ServerProcess, string]>
    > = {
      ours: [servers.rollcall, servers.plainUrl],
      streaming: [servers.rollcall, servers.streamingUrl],
      sdk: [sdk, new URL('rpc', sdk.url).href],
      pass: [servers.pass, servers.pass.url],
      durable: [servers.durable, servers.durable.url],
      agent: [servers.agent, servers.agent.url],
    };
    const names = Object.keys(targets) as (keyof typeof targets)[];
    const burst = async (
      name: keyof typeof targets,
      limits: { ms: number; most?: number } = { ms },
    ): Promise<Burst> => {
      const [server, url] = targets[name];
      const result = await onServer(server, () => asker.ask('send', { url, connections, ...limits }));
      if (server === servers.rollcall) answered += result.answered;
      return result;
    };
    tell(`SendMessage over ${connections} connections, ${rounds} rounds of ${names.length} bursts`);
    for (const name of names) await burst(name, warmUp);
    const results = await inTurns(names, rounds, (name) => burst(name));
    await sdk.stop();
    rows.push({
      connections,
      ours: middle(results.ours),
      sdk: middle(results.sdk),
      pass: middle(results.pass),
      durable: middle(results.durable),
      agent: middle(results.agent),
      streaming: middle(results.streaming),
      toSdk: ratioOf(results.ours, results.sdk),
      toPass: ratioOf(results.ours, results.pass),
      toDurable: ratioOf(results.ours, results.durable),
      durableToSdk: ratioOf(results.durable, results.sdk),
      streamingToSdk: ratioOf(results.streaming, results.sdk),
    });
  }
  return { rows, answered };
}

export interface Stored {
  readonly tasks: number;
  readonly eventsPerTask: number;
}

/**
 * What of the tasks is in the database.
 * @throws Error when one that was answered as completed is not there as such, or its log has no end.
 */
export async function checkStored(databaseUrl: string, answered: number): Promise<Stored> {
  const client = await connect(databaseUrl);
  try {
    const { rows } = await client.query<{ tasks: number; completed: number; events: number; broken: number }>(
      `select count(*)::int as tasks, count(*) filter (where t.state = 'completed')::int as completed,
         sum(e.n)::float8 as events, count(*) filter (where e.n is distinct from t.last_sequence)::int as broken
       from task t left join (select task, count(*) as n from task_event group by task) e on e.task = t.id`,
    );
    const { tasks, completed, events, broken } = rows[0]!;
    if (tasks !== answered || completed !== answered || broken > 0)
      throw new Error(
        `${answered} messages were answered; ${tasks} tasks are stored, ${completed} completed, ${broken} with gaps in the log`,
      );
    return { tasks, eventsPerTask: events / tasks };
  } finally {
    await client.end();
  }
}
