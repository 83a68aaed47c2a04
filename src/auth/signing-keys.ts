import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { Query } from '../database/drivers.ts';
import { newId } from '../database/ids.ts';
import type { SecretBox } from '../database/secret-box.ts';
import { toDateOrNull } from '../database/values.ts';
import { RollcallError } from '../errors.ts';

/** Signs in the name of this server, and publishes what verifies it. */
export interface SigningKeys {
  /** A JWT under the key in use: ES256, `kid` in its header. */
  sign(claims: JWTPayload): Promise<string>;
  /** The public keys that verify what was signed: that in use first, then those retired in the last day. */
  publicKeys(): Promise<JWK[]>;
  /** Takes the key in use out of use: the next signature makes another one. */
  retire(): Promise<void>;
}

const ALGORITHM = 'ES256';
/** How long a replica signs with a key before it asks whether another one is in use. */
const TRUSTED_MS = 60_000;
/** How long a retired key is published: far longer than anything that it signed is valid. */
const PUBLISHED_SQL = `interval '1 day'`;

interface Row {
  readonly id: string;
  readonly public: JWK;
  readonly private: string;
  readonly retired: string | null;
}

type Key = Awaited<ReturnType<typeof importJWK>>;

/**
 * The signing keys of one purpose. They live in the database, so that replicas share them and a restart keeps them; the
 * private half is sealed. The first signature makes one; replicas that do so at once agree on one by a unique index.
 */
export function createSigningKeys(query: Query, box: SecretBox, purpose: string): SigningKeys {
  const place = (id: string) => ({ table: 'signing_key', row: id, column: 'private_key' });
  let current: { readonly key: Key; readonly kid: string; readonly until: number } | undefined;
  let loading: Promise<NonNullable<typeof current>> | undefined;

  const stored = () =>
    query<Row>(
      `select id, public_key as public, private_key as private, retired_at as retired from signing_key
       where purpose = $1 and (retired_at is null or retired_at > now() - ${PUBLISHED_SQL})
       order by retired_at desc nulls first`,
      [purpose],
    );

  async function make(): Promise<void> {
    const id = newId();
    const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    const published = { ...(await exportJWK(publicKey)), kid: id, alg: ALGORITHM, use: 'sig' };
    const sealed = box.seal(JSON.stringify(await exportJWK(privateKey)), place(id));
    await query(
      `insert into signing_key (id, purpose, public_key, private_key, created_at) values ($1, $2, $3::jsonb, $4, now())
       on conflict do nothing`,
      [id, purpose, JSON.stringify(published), sealed],
    );
  }

  const retireKey = (id: string) => query('update signing_key set retired_at = now() where id = $1', [id]);

  async function load(): Promise<NonNullable<typeof current>> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const row = (await stored()).find(({ retired }) => toDateOrNull(retired) === null);
      if (row === undefined) {
        await make();
        continue;
      }
      try {
        const key = await importJWK(JSON.parse(box.open(row.private, place(row.id))) as JWK, ALGORITHM);
        return { key, kid: row.id, until: Date.now() + TRUSTED_MS };
      } catch (error) {
        if (!(error instanceof RollcallError)) throw error;
        // SECRET_KEY is another one now. Nobody has this key to store it again, and it protects nothing stored: replace it.
        await retireKey(row.id);
      }
    }
    throw new RollcallError('INTERNAL', `There is no signing key for ${purpose}, and none could be made.`);
  }

  async function inUse(): Promise<NonNullable<typeof current>> {
    if (current !== undefined && Date.now() < current.until) return current;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    current = await loading;
    return current;
  }

  return {
    async sign(claims) {
      const { key, kid } = await inUse();
      return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid }).sign(key);
    },
    async publicKeys() {
      await inUse();
      return (await stored()).map((row) => row.public);
    },
    async retire() {
      const { kid } = await inUse();
      await retireKey(kid);
      current = undefined;
    },
  };
}
