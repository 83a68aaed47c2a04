import { connect } from '../databases.ts';
import { median } from '../statistics.ts';

const TIMES = 200;

/**
 * What the database takes for a commit by itself, in milliseconds: one row, one statement, one connection. A message is
 * committed before the agent hears of it, so no first event can come sooner than that.
 */
export async function measureCommit(databaseUrl: string): Promise<number> {
  const client = await connect(databaseUrl);
  try {
    await client.query('create table bench_commit (n integer not null)');
    const taken: number[] = [];
    for (let n = 0; n < TIMES; n++) {
      const from = performance.now();
      await client.query({ name: 'commit', text: 'insert into bench_commit (n) values ($1)', values: [n] });
      taken.push(performance.now() - from);
    }
    await client.query('drop table bench_commit');
    return median(taken);
  } finally {
    await client.end();
  }
}
