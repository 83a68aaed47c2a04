import { CARD_LIMITS } from './limits.ts';

/** A JSON document, or why it is none, in words for the person who gave its address. */
export type ParsedCard = { readonly value: unknown } | { readonly wrong: string };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Whether brackets nest deeper than `limit`, by counting alone: whoever walks the value later cannot overflow the stack. */
function nestsDeeper(json: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    if (quoted) {
      if (unit === BACKSLASH) i++;
      else if (unit === QUOTE) quoted = false;
    } else if (unit === QUOTE) quoted = true;
    else if (OPENING.has(unit)) {
      if (++depth > limit) return true;
    } else if (CLOSING.has(unit)) depth--;
  }
  return false;
}

function decode(content: Uint8Array | string): string | undefined {
  if (typeof content === 'string') return content.replace(/^\uFEFF/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** Reads the JSON of a card within {@link CARD_LIMITS}. Never throws, and quotes nothing of a document that is no card. */
export function parseCard(content: Uint8Array | string): ParsedCard {
  if (content.length > CARD_LIMITS.bytes) {
    return { wrong: `this is larger than a card may be (${CARD_LIMITS.bytes} bytes).` };
  }
  const text = decode(content);
  if (text === undefined) return { wrong: 'this is not UTF-8 text, so it is not JSON.' };
  const start = text.trimStart().slice(0, 1_000);
  if (start === '') return { wrong: 'this is empty, not a card.' };
  if (start.startsWith('<')) {
    const markup = /<(!doctype\s+html|html|head|body)\b/i.test(start) ? 'an HTML page' : 'markup (HTML or XML)';
    return { wrong: `this is ${markup}, not a card.` };
  }
  if (nestsDeeper(text, CARD_LIMITS.depth)) {
    return { wrong: `this nests deeper than a card may (${CARD_LIMITS.depth} levels).` };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const position = /at position (\d+)/.exec(String(error))?.[1];
    return { wrong: `this is not JSON${position === undefined ? '' : ` (wrong at character ${position})`}.` };
  }
}
