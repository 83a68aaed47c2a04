import type { Query } from '../../../database/drivers.ts';
import { RollcallError } from '../../../errors.ts';
import { SAME_PROVIDER } from '../../agents/provider-of.ts';
import type { FetchedCard } from '../fetch-card.ts';
import { cardKeysOf } from './card-keys.ts';
import { type CardVerification, verifyCard } from './verify.ts';

/** What signatures of imported cards are for: nothing, something to look at, or a condition. */
export const CARD_SIGNATURE_MODES = ['off', 'audit', 'require'] as const;
export type CardSignatureMode = (typeof CARD_SIGNATURE_MODES)[number];

const WHY = {
  not_checked: '',
  unsigned: 'it is not signed',
  no_key: 'no key is pinned for its provider (setProviderCardKeys)',
  invalid: 'none of its signatures holds under a key that is pinned for its provider',
  verified: '',
} as const;

/**
 * Whether a card's signatures hold under the keys pinned for the provider that it names. Without a provider, or for one
 * that is not registered, nothing is pinned.
 */
export async function verificationOf(
  query: Query,
  mode: CardSignatureMode,
  card: FetchedCard,
): Promise<CardVerification> {
  if (mode === 'off') return { state: 'not_checked', keyId: null };
  const provider = card.reading.model?.provider;
  const [row] =
    provider === undefined
      ? []
      : await query<{ id: string }>(SAME_PROVIDER, [provider.organization, provider.url === '' ? null : provider.url]);
  const [keys = []] = row === undefined ? [] : await cardKeysOf(query, [row.id]);
  return verifyCard(card.body, keys);
}

/** @throws RollcallError CARD_INVALID, with `details.verification`, where signatures are required and none holds. */
export function requireVerified(mode: CardSignatureMode, card: FetchedCard, { state }: CardVerification): void {
  if (mode !== 'require' || state === 'verified') return;
  throw new RollcallError(
    'CARD_INVALID',
    `url: the card at ${card.url} cannot be used: ${WHY[state]}, and CARD_SIGNATURES is require`,
    {
      field: 'url',
      details: { verification: state },
    },
  );
}
