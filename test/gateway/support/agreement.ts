import type { ExecutionResult, GraphQLFormattedError } from 'graphql';

type Path = readonly (string | number)[];

/** Down to the first null on the way: errors below one null may be told of different fields (GraphQL §6.4.4). */
function visible(path: Path, data: unknown): Path {
  let value = data;
  for (let i = 0; i < path.length; i++) {
    if (value === null || typeof value !== 'object') return path.slice(0, i);
    value = (value as Record<string | number, unknown>)[path[i]!];
  }
  return path;
}

const related = (a: Path, b: Path): boolean => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return false;
  return true;
};

const pathsOf = (result: ExecutionResult): Path[] =>
  (result.errors ?? []).map((error: { path?: GraphQLFormattedError['path'] | undefined }) =>
    visible(error.path ?? [], result.data),
  );

/** What two results disagree about; empty when they agree. Data must be the same text, so the order of keys counts. */
export function disagreements(ours: ExecutionResult, expected: ExecutionResult): string[] {
  const found: string[] = [];
  const [a, b] = [JSON.stringify(ours.data), JSON.stringify(expected.data)];
  if (a !== b) found.push(`data: ${a}\n  instead of ${b}`);
  const [ourPaths, expectedPaths] = [pathsOf(ours), pathsOf(expected)];
  for (const path of expectedPaths) {
    if (!ourPaths.some((own) => related(own, path))) found.push(`no error at ${JSON.stringify(path)}`);
  }
  for (const path of ourPaths) {
    if (!expectedPaths.some((other) => related(other, path))) found.push(`unexpected error at ${JSON.stringify(path)}`);
  }
  return found;
}
