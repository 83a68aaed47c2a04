import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** The URL parser drops line breaks and blanks and repairs what is not well-formed; what is stored is the text itself. */
const plainUrl = z
  .string()
  .max(LIMITS.url)
  .refine((s) => s.isWellFormed() && !/[\s\p{Cc}]/u.test(s), 'must not contain blanks or control characters');

/** An absolute http or https URL without a user name or password in it. */
export const httpUrl = plainUrl
  .refine((s) => URL.canParse(s) && /^https?:$/.test(new URL(s).protocol), 'must be an absolute http or https URL')
  .refine(
    (s) => !URL.canParse(s) || (new URL(s).username === '' && new URL(s).password === ''),
    'must not contain a user name or password',
  );

/** A card's interface url: http(s), or `host:port` for gRPC. */
export const endpoint = plainUrl.min(1);

/** Bytes of a provider's url: with its name it is a key of an index, and those hold 2,700. */
const PROVIDER_URL_BYTES = 1_800;
export const providerUrl = httpUrl.refine(
  (s) => Buffer.byteLength(s) <= PROVIDER_URL_BYTES,
  `must be at most ${PROVIDER_URL_BYTES} bytes`,
);
