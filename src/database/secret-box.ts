import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RollcallError } from '../errors.ts';

/** Where a secret lives. It is part of what is authenticated: a ciphertext moved to another row does not open. */
export interface SecretPlace {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

/** Seals and opens stored secrets. */
export interface SecretBox {
  /** Encrypts a text: `v1.<key id>.<nonce>.<ciphertext and tag>`, parts in base64url. */
  seal(plain: string, place: SecretPlace): string;
  /** @throws RollcallError FAILED_PRECONDITION when the key is another one, or the place is. */
  open(sealed: string, place: SecretPlace): string;
}

const aad = (place: SecretPlace): Buffer => Buffer.from(JSON.stringify([place.table, place.row, place.column]));

/** A box with AES-256-GCM under a key derived from `secret`, any text of at least 16 characters. */
export function createSecretBox(secret: string): SecretBox {
  const key = createHash('sha256').update('rollcall secret box v1\0').update(secret).digest();
  const keyId = createHash('sha256').update('rollcall key id\0').update(key).digest('base64url').slice(0, 8);
  return {
    seal(plain, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(place));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return ['v1', keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
    },
    open(sealed, place) {
      const [version, id, nonce, body] = sealed.split('.');
      if (version !== 'v1' || nonce === undefined || body === undefined || id !== keyId) {
        throw new RollcallError(
          'FAILED_PRECONDITION',
          'SECRET_KEY: a stored credential was encrypted under another key; set the key it was stored with, or store the credential again.',
        );
      }
      const bytes = Buffer.from(body, 'base64url');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
          .setAAD(aad(place))
          .setAuthTag(bytes.subarray(-16));
        return decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8');
      } catch (cause) {
        throw new RollcallError(
          'FAILED_PRECONDITION',
          `A stored credential of ${place.table} ${place.row} does not open: it was altered or moved. Store it again.`,
          { cause },
        );
      }
    },
  };
}

/** A key file that a crash or a person left empty must not become everyone's key. */
const SHORTEST_KEY = 16;

/**
 * The key kept in the data directory, made on first use and readable by its owner alone.
 *
 * @throws RollcallError FAILED_PRECONDITION when there is a key file without a key in it.
 */
export function keyInDataDirectory(dataDir: string): string {
  const file = join(dataDir, 'secret.key');
  try {
    const key = readFileSync(file, 'utf8').trim();
    if (key.length >= SHORTEST_KEY) return key;
    throw new RollcallError(
      'FAILED_PRECONDITION',
      `SECRET_KEY: the file ${file} holds no key of at least ${SHORTEST_KEY} characters. Put the key back that credentials were stored with; if none were, delete the file and a new key is made.`,
      { field: 'SECRET_KEY' },
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = randomBytes(32).toString('base64url');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return key;
}
