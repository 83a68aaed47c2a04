import type { Database } from '../../src/database/database.ts';
import { deriveSearchSql } from '../../src/registry/search-index.ts';

/**
 * Many agents of one owner, by SQL, in seconds: names and times repeat, every third is private, one in 2,000 has a
 * skill tagged "rare", two in five have been used.
 */
export async function seedAgents(database: Database, owner: string, count: number): Promise<void> {
  await database.query(
    `insert into agent (id, handle, name, description, type, execution_type, owner, visibility, capabilities, input_modes, created_at, updated_at)
     select gen_random_uuid(), 'seeded-' || left($1, 8) || '-' || n, 'Seeded ' || (n % 50), 'words of number ' || n, 'text', 'api', $1::uuid,
       case when n % 3 = 0 then 'private' else 'public' end, array['c' || (n % 2000)], array['m/' || (n % 2000)],
       '2026-01-01Z', '2026-01-01Z'::timestamptz + (n % 70) * interval '1 microsecond'
     from generate_series(1, $2::int) n`,
    [owner, count],
  );
  await database.query(
    `insert into skill (id, agent, key, name, tags, created_at, updated_at)
     select gen_random_uuid(), a.id, 'k', 'Skill', case when a.capabilities = '{c7}' then '{rare}'::text[] else '{usual}' end, a.created_at, a.updated_at
     from agent a where a.owner = $1::uuid`,
    [owner],
  );
  await database.query(
    `insert into agent_usage (agent, last_used_at)
     select a.id, case when right(a.description, 1) < '4' then '2026-02-01Z'::timestamptz + length(a.description) * interval '1 microsecond' else '-infinity' end
     from agent a where a.owner = $1::uuid`,
    [owner],
  );
  await database.query(deriveSearchSql('a.owner = $1::uuid'), [owner]);
}
