import { invalid } from '../../../errors.ts';

/** Where a card lives below an agent's base URL, the newer path first (0.3 and later; early and 0.2). */
export const CARD_PATHS = ['.well-known/agent-card.json', '.well-known/agent.json'] as const;

const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const IS_LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/?#]|$)/i;

/**
 * The URLs to try, in order, for what a person gives as the address of an agent. A URL whose path ends in `.json` is a
 * card's own and is tried alone; anything else is a base, with or without its last slash, and gives both well-known
 * paths below it. The fragment is dropped, a query is kept. Without a scheme https is meant (http for loopback).
 * Throws INVALID_INPUT for what is no http(s) URL.
 */
export function cardUrlCandidates(url: string): string[] {
  const given = url.trim();
  const absolute = HAS_SCHEME.test(given) ? given : `${IS_LOOPBACK.test(given) ? 'http' : 'https'}://${given}`;
  const parsed = URL.canParse(absolute) ? new URL(absolute) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw invalid('url', 'must be an http or https URL, of the agent or of its card.');
  }
  parsed.hash = '';
  if (/\.json$/i.test(parsed.pathname)) return [parsed.href];
  const base = parsed.pathname.replace(/(\/\.well-known)?\/*$/, '/');
  return CARD_PATHS.map((path) => {
    const candidate = new URL(parsed);
    candidate.pathname = base + path;
    return candidate.href;
  });
}
