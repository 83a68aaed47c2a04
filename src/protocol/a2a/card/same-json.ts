type Json = Readonly<Record<string, unknown>>;

const isBranch = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/**
 * Whether two JSON values are the same, members in any order. Prototypes do not count: GraphQL hands out objects
 * without one, and a card must not look changed by that.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (!isBranch(a) || !isBranch(b)) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}
