import pg from 'pg';
import { seed } from './registry/seed.ts';

const [db, from, to] = process.argv.slice(2);
const connect = async () => {
  const c = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:5432/${db}` });
  await c.connect();
  return c;
};
console.log(await seed(connect, Number(from), Number(to), console.log));
