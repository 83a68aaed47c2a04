import { createHash } from 'node:crypto';
import { RollcallError } from '../../errors.ts';
import { type CardReading, cardUrlCandidates, readCard } from '../../protocol/a2a/card/index.ts';
import type { Egress } from '../../upstream/egress.ts';

/** A card as it came, and what it says. */
export interface FetchedCard {
  /** The URL that answered, after redirects. */
  readonly url: string;
  /** Byte for byte. */
  readonly body: Buffer;
  /** SHA-256 of the body, hexadecimal. */
  readonly digest: string;
  readonly etag: string | null;
  readonly reading: CardReading;
}

/** Real cards have a few kilobytes; the largest that is taken, and how long a fetch may last. */
const MAX_CARD_BYTES = 1024 * 1024;
const CARD_TIMEOUT_MS = 10_000;

/**
 * Fetches the card at a base URL or full card URL: `/.well-known/agent-card.json`, then `agent.json`.
 *
 * @param etag of the card that is known; a 304 answers undefined.
 * @throws RollcallError what {@link Egress.fetch} throws; UPSTREAM_INVALID when no URL answers 200.
 */
export async function fetchCard(egress: Egress, url: string, etag?: string | null): Promise<FetchedCard | undefined> {
  const tried: string[] = [];
  for (const candidate of cardUrlCandidates(url)) {
    const answer = await egress.fetch(candidate, {
      headers: { accept: 'application/json, application/a2a+json;q=0.9', 'a2a-version': '1.0' },
      maxBytes: MAX_CARD_BYTES,
      timeoutMs: CARD_TIMEOUT_MS,
      ...(etag == null ? {} : { etag }),
    });
    if (answer.status === 304) return undefined;
    if (answer.status !== 200) {
      tried.push(`${new URL(candidate).pathname} answered ${answer.status}`);
      continue;
    }
    const body = answer.bytes();
    return {
      url: answer.url,
      body,
      digest: createHash('sha256').update(body).digest('hex'),
      etag: entityTag(answer.headers['etag']),
      reading: readCard(body),
    };
  }
  throw new RollcallError(
    'UPSTREAM_INVALID',
    `url: there is no agent card there: ${tried.join(', ')}. Give the base URL of the agent, or the URL of its card.`,
    { field: 'url' },
  );
}

/** An ETag that may be sent back as it is: one value, of bounded length. */
const entityTag = (value: string | readonly string[] | undefined): string | null =>
  typeof value === 'string' && /^(W\/)?"[\x21\x23-\x7e]{0,200}"$/.test(value) ? value : null;

/** @throws RollcallError CARD_INVALID, with the problems by JSON path, when the card cannot be used. */
export function requireUsable(card: FetchedCard): NonNullable<CardReading['model']> {
  const { model, problems } = card.reading;
  if (model !== undefined) return model;
  const first = problems.find((p) => p.severity === 'error');
  throw new RollcallError(
    'CARD_INVALID',
    `url: the card at ${card.url} cannot be used: ${first === undefined ? 'it is not valid' : `${first.path}: ${first.message}`}`,
    {
      field: 'url',
      details: { problems },
    },
  );
}
