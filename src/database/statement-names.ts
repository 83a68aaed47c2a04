import { createHash } from 'node:crypto';

/** PostgreSQL keeps each named statement in memory, per connection: further texts are sent without a name. */
const MOST_NAMES = 300;
const names = new Map<string, string>();

/**
 * The name under which PostgreSQL prepares a statement once per connection; undefined when there are enough of them.
 * For statements whose best plan does not depend on their values: after a few runs PostgreSQL plans them no more.
 */
export function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES) return known;
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  names.set(text, name);
  return name;
}
