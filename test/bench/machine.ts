import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const versionOf = (name: string): string => {
  const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
};

/** What a figure depends on, to be printed with it. */
export function describeMachine(packages: readonly string[], postgres?: string): Record<string, string> {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    'load at start': loadavg()
      .map((n) => n.toFixed(1))
      .join(' '),
    node: process.versions.node,
    ...(postgres === undefined ? {} : { PostgreSQL: postgres }),
    ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
  };
}
