import type { Client } from 'pg';
import { deriveSearchSql } from '../../../src/registry/search-index.ts';
import { COMMON_WORD, createVocabulary, RARE_WORD, type Vocabulary } from './vocabulary.ts';

/** Owners of seeded agents: owner n has the last digits n. */
export const owner = (n: number): string => `00000000-0000-4000-9000-${String(n).padStart(12, '0')}`;
const OWNERS = 50;
const PRIVATE_PERCENT = 10;
/** Agents per provider. */
const PER_PROVIDER = 200;
/** Search columns are derived for this many agents a statement. */
const CHUNK = 25_000;

/**
 * The tables that are filled and all that refer to them, those that refer first: in this order they can be unlogged.
 * Seeding then writes no log, and reading is the same.
 */
const REFERRING = `with recursive referring (id, depth) as (
    select id, 0 from unnest(array['agent', 'provider']::regclass[]) as id
    union all
    select c.conrelid, r.depth + 1 from referring r join pg_constraint c on c.confrelid = r.id and c.contype = 'f'
    where c.conrelid <> c.confrelid and r.depth < 9)
  select id::regclass::text as name from referring group by id order by max(depth) desc, name`;
const INDEXED = ['provider', 'agent', 'agent_usage', 'skill'];

/** A number from 0 to `below` - 1 out of row number and salt: the same in every run. */
const hash = (row: string, salt: number, below: number): string =>
  `(hashint8extended(${row}::bigint, ${salt}) & 1073741823) % ${below}`;
/** The same, with small numbers more frequent: `skew` 2 gives the first tenth a third of all draws. */
const skewed = (row: string, salt: number, below: number, skew = 2): string =>
  `floor(power(((hashint8extended(${row}::bigint, ${salt}) & 1073741823) / 1073741824.0)::float8, ${skew}) * ${below})::int`;
/** A UUID version 7 whose time part is the row number: ids sort as they were made. */
const id = (row: string, kind: number): string =>
  `(lpad(to_hex(1750000000000 + ${row}::bigint * 1000 + ${kind}), 12, '0') || '7' || substr(md5(${row}::text || '/${kind}'), 1, 3) || '8' || substr(md5(${row}::text || '/${kind}'), 4, 15))::uuid`;

async function loadVocabulary(client: Client, vocabulary: Vocabulary): Promise<void> {
  for (const [table, list] of Object.entries({
    bench_name: vocabulary.names,
    bench_sentence: vocabulary.sentences,
    bench_tag: vocabulary.tags,
    bench_skill: vocabulary.skillKeys.map((key, i) => `${key}\t${vocabulary.skillNames[i]}`),
  })) {
    await client.query(`create temp table if not exists ${table} (n int primary key, text text not null)`);
    await client.query(
      `insert into ${table} select n - 1, text from unnest($1::text[]) with ordinality as t(text, n) on conflict do nothing`,
      [list],
    );
    await client.query(`analyze ${table}`);
  }
}

/** The statements that add agents `from` to `to` (1-based), without search columns. */
function insertions(from: number, to: number): [label: string, sql: string][] {
  const providers = Math.max(20, Math.ceil(to / PER_PROVIDER));
  const rows = `generate_series(${from}, ${to}) as g(i)`;
  return [
    [
      'providers',
      `insert into provider (id, name, url, owner, created_at, updated_at)
       select ${id('g.j', 1)}, 'Provider ' || g.j, 'https://provider-' || g.j || '.example', ('00000000-0000-4000-9000-' || lpad((g.j % ${OWNERS})::text, 12, '0'))::uuid,
         timestamptz '2025-06-15Z', timestamptz '2025-06-15Z'
       from generate_series(1, ${providers}) as g(j) on conflict do nothing`,
    ],
    [
      'agents',
      `insert into agent (id, handle, name, description, version, type, execution_type, status, input_modes, output_modes,
         capabilities, url, provider, streaming, push_notifications, owner, visibility, created_at, updated_at, deleted_at)
       select ${id('g.i', 0)}, 'agent-' || g.i, n.text,
         s1.text || '. ' || s2.text || '.'
           || case when ${hash('g.i', 3, 100)} < 20 then ' ${COMMON_WORD}' else '' end
           || case when g.i <= 7 then ' ${RARE_WORD}' else '' end,
         '1.' || ${hash('g.i', 4, 20)} || '.0',
         (array['text', 'image', 'code', 'multimodal', 'audio'])[1 + ${skewed('g.i', 5, 5)}],
         (array['a2a', 'api', 'docker', 'framework', 'edge', 'flyte'])[1 + ${skewed('g.i', 6, 6)}],
         case when ${hash('g.i', 7, 100)} < 92 then 'active' when ${hash('g.i', 7, 100)} < 97 then 'inactive' else 'deprecated' end,
         case when ${hash('g.i', 8, 10)} < 7 then array['text/plain'] else array['text/plain', 'application/json'] end,
         case when ${hash('g.i', 9, 100)} < 2 then array['text/plain', 'application/pdf'] else array['text/plain'] end,
         array['capability-' || ${skewed('g.i', 10, 40, 3)}, 'capability-' || (40 + ${hash('g.i', 11, 10)})],
         'https://agents.example/' || g.i,
         case when ${hash('g.i', 12, 10)} = 0 then null else ${id(`(1 + ${skewed('g.i', 13, providers)})`, 1)} end,
         ${hash('g.i', 14, 2)} = 0, ${hash('g.i', 15, 4)} = 0,
         ('00000000-0000-4000-9000-' || lpad((${hash('g.i', 16, OWNERS)})::text, 12, '0'))::uuid,
         case when ${hash('g.i', 17, 100)} < ${PRIVATE_PERCENT} then 'private' when ${hash('g.i', 17, 100)} < 30 then 'public' else 'internal' end,
         timestamptz '2025-06-15Z' + g.i * interval '1 second',
         timestamptz '2025-06-15Z' + g.i * interval '1 second' + (${hash('g.i', 18, 40_000_000)}) * interval '1 second',
         case when ${hash('g.i', 19, 50)} = 0 then timestamptz '2026-09-01Z' end
       from ${rows}
       join bench_name n on n.n = ${hash('g.i', 0, 16_000)}
       join bench_sentence s1 on s1.n = ${hash('g.i', 1, 8_192)}
       join bench_sentence s2 on s2.n = ${hash('g.i', 2, 8_192)}`,
    ],
    [
      'skills',
      `insert into skill (id, agent, key, position, name, description, tags, examples, created_at, updated_at)
       select ${id('(g.i * 4 + k.k)', 2)}, ${id('g.i', 0)}, split_part(b.text, E'\\t', 1) || case k.k when 1 then '' else '-' || k.k end, k.k,
         split_part(b.text, E'\\t', 2), s.text, array[t1.text, t2.text], array[left(s.text, 40)],
         timestamptz '2025-06-15Z' + g.i * interval '1 second', timestamptz '2025-06-15Z' + g.i * interval '1 second'
       from ${rows} cross join generate_series(1, 3) as k(k)
       join bench_skill b on b.n = ${skewed('(g.i * 4 + k.k)', 20, 2_000)}
       join bench_sentence s on s.n = ${hash('(g.i * 4 + k.k)', 21, 8_192)}
       join bench_tag t1 on t1.n = ${skewed('(g.i * 4 + k.k)', 22, 200)}
       join bench_tag t2 on t2.n = ${hash('(g.i * 4 + k.k)', 23, 200)}`,
    ],
    [
      'usage',
      `insert into agent_usage (agent, calls, failures, last_used_at)
       select ${id('g.i', 0)}, ${hash('g.i', 30, 1000)}, 0,
         case when ${hash('g.i', 31, 10)} < 3 then '-infinity'::timestamptz
           else timestamptz '2026-08-01Z' + (${hash('g.i', 32, 5_000_000)}) * interval '1 second' end
       from ${rows}`,
    ],
  ];
}

/**
 * Grows a migrated database to `to` agents with three skills each, from the `from - 1` that are there. Indexes are
 * dropped and made again around it, which is several times faster than keeping them.
 */
export async function seed(connect: () => Promise<Client>, from: number, to: number, tell: (line: string) => void) {
  const client = await connect();
  const started = performance.now();
  const step = async (label: string, work: () => Promise<unknown>): Promise<void> => {
    const at = performance.now();
    await work();
    tell(`  seeding to ${to.toLocaleString('en')}: ${label} ${((performance.now() - at) / 1000).toFixed(1)} s`);
  };
  try {
    await client.query(
      `set session_replication_role = replica; set maintenance_work_mem = '512MB'; set synchronous_commit = off; set work_mem = '64MB'; set jit = off`,
    );
    if (from === 1) {
      const { rows: tables } = await client.query<{ name: string }>(REFERRING);
      for (const { name } of tables) await client.query(`alter table ${name} set unlogged`);
    }
    const { rows: indexes } = await client.query<{ name: string; def: string }>(
      `select x.indexrelid::regclass::text as name, pg_get_indexdef(x.indexrelid) as def from pg_index x
       where x.indrelid = any($1::regclass[]) and not exists (select 1 from pg_constraint c where c.conindid = x.indexrelid)`,
      [INDEXED],
    );
    for (const { name } of indexes) await client.query(`drop index ${name}`);
    await loadVocabulary(client, createVocabulary());
    for (const [label, sql] of insertions(from, to)) await step(label, () => client.query(sql));
    await step('search columns', () => derive(connect, from, to));
    await step('indexes', async () => {
      for (const { def } of indexes) await client.query(def);
    });
    for (const table of INDEXED) await step(`vacuum ${table}`, () => client.query(`vacuum analyze ${table}`));
  } finally {
    await client.end();
  }
  return (performance.now() - started) / 1000;
}

/** Two connections take turns at the chunks: the work is the database's processor time. */
async function derive(connect: () => Promise<Client>, from: number, to: number): Promise<void> {
  const starts = Array.from({ length: Math.ceil((to - from + 1) / CHUNK) }, (_, k) => from + k * CHUNK);
  const work = async (): Promise<void> => {
    const client = await connect();
    try {
      await client.query(
        `set session_replication_role = replica; set synchronous_commit = off; set jit = off; set work_mem = '64MB'`,
      );
      for (let at = starts.shift(); at !== undefined; at = starts.shift()) {
        const end = Math.min(at + CHUNK, to + 1);
        // The time part of ids is the row number: a range of ids is a range of rows.
        const bound = (row: number): string =>
          `'${(1_750_000_000_000 + row * 1000)
            .toString(16)
            .padStart(12, '0')
            .replace(/^(.{8})(.{4})$/, '$1-$2')}-0000-0000-000000000000'`;
        await client.query(deriveSearchSql(`a.id >= ${bound(at)} and a.id < ${bound(end)}`));
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all([work(), work()]);
}
