import { readFile } from 'node:fs/promises';
import { type Config, misconfigured } from '../config.ts';
import { type CardSigner, createCardSigner } from '../registry/cards/trust/signer.ts';

/** The signer of CARD_SIGNING_KEY, where it is set. @throws RollcallError INVALID_INPUT for a file that holds no such key. */
export async function configuredSigner({ CARD_SIGNING_KEY }: Config): Promise<CardSigner | undefined> {
  if (CARD_SIGNING_KEY === undefined) return undefined;
  const text = await readFile(CARD_SIGNING_KEY, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw misconfigured('CARD_SIGNING_KEY', `${CARD_SIGNING_KEY} cannot be read (${error.code})`);
  });
  return createCardSigner(text);
}
