import type { Query } from '../database/drivers.ts';

/**
 * Punctuation that PostgreSQL's parser would keep inside a token ("host.name", "a/b"): it becomes blank both here and
 * in queries, so that each word of a name is found by itself.
 */
const BLANKED = './-_:@#+&?=,;()[]{}<>|"\'`*~!%^$\\“”„‘’‚«»‹›–—…·•¿¡、。「」『』（）\u00a0';
const blank = (sql: string): string => `translate(${sql}, ${literal(BLANKED)}, ${literal(' '.repeat(BLANKED.length))})`;

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const weighted = (sql: string, weight: string): string =>
  `setweight(to_tsvector('simple', ${blank(`normalize(${sql})`)}), '${weight}')`;

/** Characters of the names of an agent's skills, and of their texts, that are indexed. */
const MOST_INDEXED = 80_000;

/**
 * The statement that derives the search columns of agents from their rows and skills. Texts are cut to what a tsvector
 * can hold (1 MB, whatever the alphabet): an agent with thousands of long examples is still found by everything before
 * them. They are indexed in Unicode's composed form, which is how {@link toTsQuery} asks.
 *
 * @param where a condition on `a`, the agent to derive.
 */
export const deriveSearchSql = (where: string): string => `
  update agent a set
    skill_keys = d.keys,
    skill_tags = d.tags,
    modes = array(select distinct m from unnest(a.input_modes || a.output_modes || d.modes) m order by m),
    search = ${weighted(`a.name || ' ' || a.handle`, 'A')}
      || ${weighted(`left(d.names, ${MOST_INDEXED})`, 'B')}
      || ${weighted(`a.description || ' ' || array_to_string(a.capabilities, ' ')`, 'C')}
      || ${weighted(`left(d.texts, ${MOST_INDEXED})`, 'D')}
  from (
    select x.id,
      coalesce(array_agg(distinct s.key) filter (where s.id is not null), '{}') as keys,
      coalesce((select array_agg(distinct t) from skill s2, unnest(s2.tags) t where s2.agent = x.id), '{}') as tags,
      coalesce((select array_agg(distinct m) from skill s3, unnest(s3.input_modes || s3.output_modes) m where s3.agent = x.id), '{}') as modes,
      coalesce(string_agg(s.name || ' ' || s.key || ' ' || array_to_string(s.tags, ' '), ' '), '') as names,
      coalesce(string_agg(s.description || ' ' || array_to_string(s.examples, ' '), ' '), '') as texts
    from agent x left join skill s on s.agent = x.id
    where ${where.replaceAll('a.', 'x.')}
    group by x.id
  ) d
  where a.id = d.id`;

/** Derives the search columns of these agents, in the transaction that changed them. */
export async function refreshSearch(query: Query, agentIds: readonly string[]): Promise<void> {
  await query(deriveSearchSql('a.id = any($1::uuid[])'), [agentIds]);
}

/** Words that are searched for: at most this many, the rest is ignored. */
const MOST_WORDS = 16;
/** Characters of a word that are looked for: the database refuses lexemes of 2 KB. */
const LONGEST_WORD = 200;

/**
 * A text as a person types it, as the argument of `to_tsquery('simple', …)`: every word must occur, each as a prefix.
 * Null when there is no word in it. Words are runs of letters and digits, so nothing in them can be query syntax.
 */
export function toTsQuery(text: string): string | null {
  const words =
    text
      .normalize('NFC')
      .match(/[\p{L}\p{N}\p{M}]+/gu)
      ?.slice(0, MOST_WORDS) ?? [];
  return words.length === 0
    ? null
    : words.map((word) => `'${[...word].slice(0, LONGEST_WORD).join('')}':*`).join(' & ');
}
