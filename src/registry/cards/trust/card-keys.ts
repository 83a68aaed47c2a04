import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import type { Principal } from '../../../auth/principal.ts';
import type { Query } from '../../../database/drivers.ts';
import { isUuid } from '../../../database/ids.ts';
import { invalid, RollcallError } from '../../../errors.ts';
import { requireRevision } from '../../agents/change.ts';
import { writeAudit } from '../../audit/write.ts';
import type { RegistryContext } from '../../context.ts';
import type { Provider } from '../../model.ts';
import { PROVIDER_COLUMNS, toProvider } from '../../rows.ts';
import { requireOwnership, requireScope } from '../../visibility.ts';
import { CARD_ALGORITHMS, type CardKey } from './verify.ts';

/** A provider rotates a few keys; more would only slow each verification down. */
const MOST_KEYS = 20;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];

/** The pinned keys of providers, in the order of the ids. */
export async function cardKeysOf(query: Query, providerIds: readonly string[]): Promise<CardKey[][]> {
  const rows = await query<CardKey & { provider: string }>(
    'select provider, kid, jwk from provider_card_key where provider = any($1::uuid[]) order by created_at, kid',
    [providerIds],
  );
  return providerIds.map((id) => rows.filter(({ provider }) => provider === id).map(({ kid, jwk }) => ({ kid, jwk })));
}

/**
 * Pins the public keys that the provider's cards must be signed with, instead of those before; an empty list unpins.
 * Answers the provider as it is then.
 *
 * @param keys public JSON Web Keys (EC, RSA or OKP); one without `kid` is named by its thumbprint (RFC 7638)
 * @throws RollcallError INVALID_INPUT naming the key, NOT_FOUND, STALE_REVISION, UNAUTHENTICATED, FORBIDDEN.
 */
export async function setCardKeys(
  context: RegistryContext,
  principal: Principal,
  providerId: string,
  keys: readonly unknown[],
  revision?: number,
): Promise<Provider> {
  requireScope(principal, 'registry:write');
  if (keys.length > MOST_KEYS) throw invalid('input.keys', `at most ${MOST_KEYS} keys can be pinned`);
  const pinned = await Promise.all(keys.map((key, i) => readKey(key, `input.keys[${i}]`)));
  if (new Set(pinned.map(({ kid }) => kid)).size < pinned.length)
    throw invalid('input.keys', 'each key needs a kid of its own');
  return context.database.transaction(async (tx) => {
    const rows = isUuid(providerId)
      ? await tx.query<Record<string, unknown>>(
          `select ${PROVIDER_COLUMNS} from provider p where p.id = $1 for update`,
          [providerId],
        )
      : [];
    if (rows[0] === undefined) {
      throw new RollcallError('NOT_FOUND', `There is no provider ${JSON.stringify(providerId)}.`);
    }
    const provider = toProvider(rows[0] as never);
    requireOwnership(principal, provider, `provider ${provider.name}`);
    requireRevision(provider.revision, revision, `provider ${provider.name}`);
    const unpinned = await tx.query<{ kid: string }>(
      'delete from provider_card_key where provider = $1 returning kid',
      [providerId],
    );
    const now = new Date();
    for (const { kid, jwk } of pinned) {
      await tx.query('insert into provider_card_key (provider, kid, jwk, created_at) values ($1, $2, $3::jsonb, $4)', [
        providerId,
        kid,
        JSON.stringify(jwk),
        now,
      ]);
    }
    const [changed] = await tx.query<Record<string, unknown>>(
      `update provider p set revision = revision + 1, updated_at = $2 where id = $1 returning ${PROVIDER_COLUMNS}`,
      [providerId, now],
    );
    const [before, after] = [unpinned, pinned].map((list) => list.map(({ kid }) => kid).sort());
    await writeAudit(tx.query, principal, {
      operation: 'provider.cardKeysSet',
      targetType: 'provider',
      targetId: providerId,
      changes: [{ field: 'cardKeys', before, after }],
    });
    return toProvider(changed!);
  });
}

async function readKey(value: unknown, field: string): Promise<CardKey> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(field, 'must be a JSON Web Key');
  const jwk = value as JWK;
  const secret = PRIVATE_MEMBERS.find((member) => member in jwk);
  // Refused before anything is stored or said of it: somebody's private key must not stay here.
  if (secret !== undefined) throw invalid(field, `has the private member "${secret}"; give the public key alone`);
  if (jwk.alg !== undefined && !CARD_ALGORITHMS.includes(jwk.alg))
    throw invalid(`${field}.alg`, `must be one of ${CARD_ALGORITHMS.join(', ')}`);
  try {
    await importJWK(jwk, jwk.alg ?? algorithmOf(jwk));
    const kid = typeof jwk.kid === 'string' && jwk.kid !== '' ? jwk.kid : await calculateJwkThumbprint(jwk);
    if (kid.length > 200) throw new Error('kid is too long');
    return { kid, jwk };
  } catch (cause) {
    throw new RollcallError('INVALID_INPUT', `${field}: is no usable public key (EC, RSA or OKP)`, { field, cause });
  }
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
const algorithmOf = ({ kty, crv }: JWK): string =>
  kty === 'EC' ? (CURVES[crv ?? ''] ?? 'ES256') : kty === 'OKP' ? 'EdDSA' : 'PS256';
