/** Whether JSON nests deeper than `most` levels. Iteratively: what is too deep would overflow the stack of a recursive look. */
export function isDeeperThan(value: unknown, most: number): boolean {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > most) return true;
    const next: object[] = [];
    for (const container of level)
      for (const inner of Object.values(container)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    level = next;
  }
  return false;
}
