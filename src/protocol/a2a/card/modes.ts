/**
 * Words that cards use in place of media types. The early era's own default is `text`; `file` and `data` are the names
 * of its other part types; the rest is what cards in use say.
 */
const MEDIA_TYPE_OF_WORD: Readonly<Record<string, string>> = {
  text: 'text/plain',
  plain: 'text/plain',
  markdown: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  data: 'application/json',
  json: 'application/json',
  pdf: 'application/pdf',
  file: 'application/octet-stream',
  image: 'image/*',
  audio: 'audio/*',
  video: 'video/*',
};

/** The words that early clients look for, by media type: those of the early era's part types. */
const EARLY_WORD_OF_MEDIA_TYPE: Readonly<Record<string, string>> = {
  'text/plain': 'text',
  'application/json': 'data',
  'application/octet-stream': 'file',
};

/** Whether a mode is written as a media type (`type/subtype`), rather than as a word such as `text`. */
export const isMediaType = (mode: string): boolean => /^[^\s/;]+\/[^\s/;]+(\s*;.*)?$/.test(mode);

/**
 * Any mode as a media type: a known word becomes its media type, a media type is lower-cased (its parameters are left
 * alone), and any other word stays as it is, lower-cased. Total, and stable when applied twice.
 */
export function normaliseMode(mode: string): string {
  const trimmed = mode.trim();
  const end = trimmed.indexOf(';');
  const name = (end < 0 ? trimmed : trimmed.slice(0, end)).toLowerCase();
  if (end >= 0) return name + trimmed.slice(end);
  return Object.hasOwn(MEDIA_TYPE_OF_WORD, name) ? MEDIA_TYPE_OF_WORD[name]! : name;
}

/** Media types with, after them, the early words for those that have one: what a card for early clients lists. */
export function withEarlyWords(mediaTypes: readonly string[]): string[] {
  const words = mediaTypes.flatMap((mode) =>
    Object.hasOwn(EARLY_WORD_OF_MEDIA_TYPE, mode) ? [EARLY_WORD_OF_MEDIA_TYPE[mode]!] : [],
  );
  return [...new Set([...mediaTypes, ...words])];
}
