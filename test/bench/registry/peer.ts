import { createServer } from 'node:http';
import pg from 'pg';

/**
 * What a server can do that knows two operations and nothing else: node:http, `pg`, a prepared statement for each, and
 * JSON.stringify. It checks nothing; its answers are equal to Rollcall's.
 */
const COLUMNS = `a.id, a.handle, a.name, a.description, a.version, a.type, upper(a.execution_type) as "executionType",
  upper(a.status) as status, a.input_modes as "inputModes", a.output_modes as "outputModes", a.capabilities, a.url,
  a.created_at as "createdAt", a.updated_at as "updatedAt", p.id as p_id, p.name as p_name, p.url as p_url,
  (select coalesce(json_agg(json_build_object('id', s.id, 'key', s.key, 'name', s.name, 'description', s.description, 'tags',
    s.tags, 'examples', s.examples) order by s.position, s.id), '[]') from skill s where s.agent = a.id) as skills`;
const FROM = 'from agent a left join provider p on p.id = a.provider where a.deleted_at is null';
const STATEMENTS = {
  one: `select ${COLUMNS} ${FROM} and a.id = $1`,
  first: `select ${COLUMNS} ${FROM} order by a.id limit $1`,
  after: `select ${COLUMNS} ${FROM} and a.id > $2 order by a.id limit $1`,
};

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });

async function rows(name: keyof typeof STATEMENTS, values: unknown[]) {
  const answer = await pool.query({ name, text: STATEMENTS[name], values });
  for (const row of answer.rows) {
    row.provider = row.p_id === null ? null : { id: row.p_id, name: row.p_name, url: row.p_url };
    delete row.p_id;
    delete row.p_name;
    delete row.p_url;
  }
  return answer.rows;
}

async function page(first: number, after: string | null) {
  const nodes =
    after === null
      ? await rows('first', [first + 1])
      : await rows('after', [first + 1, JSON.parse(Buffer.from(after, 'base64url').toString())[2]]);
  const hasNextPage = nodes.length > first;
  nodes.length = Math.min(nodes.length, first);
  const last = nodes.at(-1)?.id;
  const endCursor = Buffer.from(JSON.stringify(['id', last, last])).toString('base64url');
  return { agents: { nodes, pageInfo: { hasNextPage, endCursor } } };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    if (request.method === 'GET') return response.end();
    const { operationName, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const data =
      operationName === 'OneAgent'
        ? { agent: (await rows('one', [variables.id]))[0] ?? null }
        : await page(variables.first, variables.after);
    const body = JSON.stringify({ data });
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.setHeader('content-length', Buffer.byteLength(body));
    return response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address() as { port: number };
  process.stdout.write(`listening at http://127.0.0.1:${address.port}/\n`);
});
process.on('SIGTERM', () => process.exit(0));
