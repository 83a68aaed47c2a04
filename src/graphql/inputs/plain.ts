/** Fields for which null means "empty it". Everywhere else null is the same as leaving the field out. */
const CLEARABLE = new Set(['url', 'documentationUrl', 'iconUrl', 'flyteName', 'provider', 'providerId']);

/**
 * An input as the core takes it: plain objects without what was left out. The core's schemas refuse unknown fields, so
 * nothing may be in it that the caller did not give.
 */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const answer: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || (item === null && !CLEARABLE.has(key))) continue;
    answer[key] = key === 'extensions' ? item : plain(item);
  }
  return answer;
}
