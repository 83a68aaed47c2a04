import type { SecurityRequirement } from './security.ts';

const ANONYMOUS: SecurityRequirement = { schemes: {} };

/** No requirement at all is the same as one that asks for nothing. */
const alternatives = (list: readonly SecurityRequirement[]) => (list.length === 0 ? [ANONYMOUS] : list);

/** Whether whoever satisfies `held` satisfies `asked` too: every scheme asked for is held, with all scopes. */
const covers = (held: SecurityRequirement, asked: SecurityRequirement): boolean =>
  Object.entries(asked.schemes).every(([name, { list }]) => {
    const scopes = Object.hasOwn(held.schemes, name) ? held.schemes[name]!.list : undefined;
    return scopes !== undefined && list.every((scope) => scopes.includes(scope));
  });

const describe = (requirement: SecurityRequirement): string => {
  const schemes = Object.entries(requirement.schemes).map(
    ([name, { list }]) => name + (list.length ? ` (${list.join(', ')})` : ''),
  );
  return schemes.length === 0 ? 'nothing' : schemes.join(' and ');
};

/** Why some caller who was let in before no longer is, or undefined when all of them still are. */
export function tightened(
  before: readonly SecurityRequirement[],
  after: readonly SecurityRequirement[],
): string | undefined {
  const shutOut = alternatives(before).find((held) => !alternatives(after).some((asked) => covers(held, asked)));
  return shutOut && `callers that present ${describe(shutOut)} are no longer let in`;
}

const normal = (list: readonly SecurityRequirement[]): string[] =>
  list
    .map(({ schemes }) => {
      const named = Object.entries(schemes).map(([name, scopes]) => [name, [...new Set(scopes.list)].sort()] as const);
      return JSON.stringify(named.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    })
    .sort();

/** Whether two lists say the same, in whatever order. */
export const sameRequirements = (a: readonly SecurityRequirement[], b: readonly SecurityRequirement[]): boolean =>
  JSON.stringify([...new Set(normal(a))]) === JSON.stringify([...new Set(normal(b))]);
