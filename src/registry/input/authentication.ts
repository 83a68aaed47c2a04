import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { httpUrl } from './url.ts';

const secret = z.string().min(1).max(LIMITS.secret);
/** What may stand in an HTTP header field's value (RFC 9110 §5.5): a line break would start a header of its own. */
const headerSafe = secret.regex(/^[\x20-\x7e\x80-\xff]*$/, 'must be printable characters of one line');
/**
 * How Rollcall signs in to an agent. Without credentials the type alone is stored: the graph then shows what the agent
 * asks for, and calls go out without.
 */
export const authenticationSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('bearer'), token: headerSafe.optional() }),
  z.strictObject({
    type: z.literal('apiKey'),
    in: z.enum(['header', 'query']).default('header'),
    name: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header or parameter name')
      .default('X-API-Key'),
    value: headerSafe.optional(),
  }),
  z.strictObject({
    type: z.literal('basic'),
    username: headerSafe.regex(/^[^:]*$/, 'must not contain a colon').optional(),
    password: headerSafe.optional(),
  }),
  z.strictObject({
    type: z.literal('oauth2'),
    tokenUrl: httpUrl.optional(),
    clientId: secret.optional(),
    clientSecret: secret.optional(),
    scopes: z
      .array(
        z
          .string()
          .min(1)
          .max(200)
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be an OAuth scope'),
      )
      .max(50)
      .default([]),
  }),
]);

/** A checked authentication: what an executor signs in with. */
export type Authentication = z.output<typeof authenticationSchema>;

const SECRET_OF = {
  none: undefined,
  bearer: 'token',
  apiKey: 'value',
  basic: 'password',
  oauth2: 'clientSecret',
} as const;

/** True when the authentication carries the secret its type needs. */
export function hasSecret(authentication: Authentication): boolean {
  const key = SECRET_OF[authentication.type];
  return key !== undefined && (authentication as Record<string, unknown>)[key] !== undefined;
}
