import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { RollcallError } from '../../src/errors.ts';
import { done, rpcAgent } from '../upstream/executor-support.ts';
import { DATABASES, onCleanup, STARTING_MS, say, stack } from './support.ts';

/** The same database, where the tasks of one message wait to be written, or cannot be. */
function holding(database: Database, text: string) {
  let decide: (failure?: Error) => void = () => undefined;
  const decided = new Promise<Error | undefined>((resolve) => {
    decide = resolve;
  });
  let reached = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const query: Database['query'] = async <Row>(...[sql, values, name]: Parameters<Database['query']>) => {
    if (name?.startsWith('task-accept') && JSON.stringify(values).includes(text)) {
      reached();
      const failure = await decided;
      if (failure !== undefined) throw failure;
    }
    return database.query<Row>(sql, values, name);
  };
  return { database: { ...database, query } as Database, asked, decide };
}

type Agent = Awaited<ReturnType<typeof rpcAgent>>;

describe.each(DATABASES)('a message to an agent on $name', ({ open }) => {
  beforeAll(open, STARTING_MS);

  const setUp = async (text: string) => {
    const agent = await rpcAgent(() => done);
    const heard = (): number => agent.calls.filter(({ params }) => JSON.stringify(params).includes(text)).length;
    const held = holding(await open(), text);
    const engine = await stack(open, { database: held.database, recovery: false });
    // A test that fails before it decides must not keep the engine from closing.
    onCleanup(async () => held.decide());
    const speaks = { url: agent.url, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' } as const;
    const agentId = await engine.agent({ executionType: 'a2a', interfaces: [speaks] });
    const sending = engine.tasks.send(engine.me, agentId, say(text));
    sending.catch(() => undefined);
    await held.asked;
    // A whole exchange with the agent overtakes it: what had left before would have arrived.
    expect(await rpcRoundTrip(agent)).toBe(200);
    expect(heard()).toBe(0);
    return { ...held, agent, heard, sending };
  };

  it('goes out when its task is stored, and not before', async () => {
    const { sending, heard, decide } = await setUp('held and stored');
    decide();
    const { task } = await (await sending).answer();
    expect(task?.status.state).toBe('completed');
    expect(heard()).toBe(1);
  });

  it('never goes out when its task cannot be stored', async () => {
    const { sending, agent, heard, decide } = await setUp('held and refused');
    decide(new RollcallError('DATABASE_UNAVAILABLE', 'The database is away.'));
    await expect(sending).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(await rpcRoundTrip(agent)).toBe(200);
    expect(heard()).toBe(0);
  });
});

async function rpcRoundTrip({ url }: Agent): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: {} });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await answer.text();
  return answer.status;
}
