import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** README.md and everything in docs/, as paths from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export const textOf = (page: string): string => readFileSync(`${ROOT}${page}`, 'utf8');

/** A fenced block: what stands after the fence, and the lines within. */
export interface Block {
  readonly info: string;
  readonly text: string;
  /** Line of its fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; lines: string[]; line: number } | undefined;
  textOf(page)
    .split('\n')
    .forEach((text, i) => {
      const fence = /^```(.*)$/.exec(text);
      if (fence === null) open?.lines.push(text);
      else if (open === undefined) open = { info: fence[1]!.trim(), lines: [], line: i + 1 };
      else {
        blocks.push({ info: open.info, text: open.lines.join('\n'), line: open.line });
        open = undefined;
      }
    });
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block has no end`);
  return blocks;
}

/** The text outside fenced blocks: what stands in a block is code, not a link or a heading. */
export const proseOf = (page: string): string => textOf(page).replace(/^```[\s\S]*?^```$/gm, '');
