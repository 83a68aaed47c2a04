/** One setting: how its text is read, what holds without it, and what it is for. */
export interface Option<T> {
  readonly fallback: T;
  /** @throws Error saying what is expected. */
  readonly read: (text: string) => T;
  readonly help: string;
  /** The default as a person reads it, where the value does not say it. */
  readonly shownDefault?: string;
}

const text = (help: string, shownDefault = 'none'): Option<string | undefined> => ({
  fallback: undefined,
  read: (t) => t,
  help,
  shownDefault,
});
const withDefault = (fallback: string, help: string): Option<string> => ({ fallback, read: (t) => t, help });
const flag = (help: string): Option<boolean> => ({ fallback: false, read: readBoolean, help });
const list = (help: string, shownDefault = 'none'): Option<readonly string[]> => ({
  fallback: [],
  read: (t) =>
    t
      .split(',')
      .map((x) => x.trim())
      .filter(Boolean),
  help,
  shownDefault,
});

function readBoolean(t: string): boolean {
  if (/^(true|1|yes|on)$/i.test(t)) return true;
  if (/^(false|0|no|off)$/i.test(t)) return false;
  throw new Error(`must be true or false, not ${JSON.stringify(t)}`);
}

function readPort(t: string): number {
  const n = Number(t);
  if (!/^\d+$/.test(t) || n > 65_535)
    throw new Error(`must be a port from 0 to 65535 (0 picks a free one), not ${JSON.stringify(t)}`);
  return n;
}

const whole =
  (min: number, max: number) =>
  (t: string): number => {
    const n = Number(t);
    if (!/^\d+$/.test(t) || n < min || n > max)
      throw new Error(`must be a whole number from ${min} to ${max}, not ${JSON.stringify(t)}`);
    return n;
  };

const oneOf =
  <const W extends readonly string[]>(words: W) =>
  (t: string): W[number] => {
    if (!words.includes(t)) throw new Error(`must be one of ${words.join(', ')}, not ${JSON.stringify(t)}`);
    return t;
  };

const url =
  (protocols: readonly string[]) =>
  (t: string): string => {
    if (!URL.canParse(t) || !protocols.includes(new URL(t).protocol))
      throw new Error(`must be a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    return t;
  };

/** A URL that we print or build others from: it ends in "/", or its last segment would be lost when they are resolved. */
const baseUrl = (t: string): string => {
  const read = url(['http:', 'https:'])(t);
  return read.endsWith('/') ? read : `${read}/`;
};

const AUTH_MODES = ['none', 'jwt'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const MIN_SECRET = 32;
const secret = (t: string): string => {
  if (t.length < MIN_SECRET) throw new Error(`must have at least ${MIN_SECRET} characters`);
  return t;
};

/** Every setting there is. The environment variable has the name, the flag is the name in lower case with dashes. */
export const OPTIONS = {
  HOST: withDefault('127.0.0.1', 'Address to listen on'),
  PORT: { fallback: 4000, read: readPort, help: 'HTTP port; 0 picks a free one and prints it' } as Option<number>,
  GRPC_PORT: {
    fallback: 50051,
    read: readPort,
    help: 'Port of the A2A gRPC binding; 0 picks a free one',
  } as Option<number>,
  FLYTE_PORT: {
    fallback: undefined,
    read: readPort,
    help: "Port of Flyte's agent services",
    shownDefault: '8000 with AUTH_MODE=none, else off',
  } as Option<number | undefined>,
  FLYTE_PRINCIPAL: text(
    "With AUTH_MODE=jwt: the subject (UUID) that owns Flyte's tasks; without it the port stays shut",
  ),
  PUBLIC_URL: {
    fallback: undefined,
    read: baseUrl,
    help: 'What cards and links say',
    shownDefault: 'from HOST and PORT',
  } as Option<string | undefined>,
  PUBLIC_GRPC_URL: text('host:port that cards give for gRPC', 'from HOST and GRPC_PORT'),
  TLS_CERT: text('File with the certificate chain (PEM)'),
  TLS_KEY: text('File with the private key (PEM)'),
  TRUST_PROXY: {
    fallback: 0,
    read: whole(0, 10),
    help: 'Number of reverse proxies in front, whose X-Forwarded-For is believed',
  } as Option<number>,
  CORS_ORIGINS: list('Origins that web pages may call from, separated by commas'),
  DATABASE_URL: {
    fallback: undefined,
    read: (t) => (t.startsWith('memory:') ? t : url(['postgres:', 'postgresql:'])(t)),
    help: 'postgres://… (15 or newer), or memory:// for a database that ends with the process',
    shownDefault: 'embedded database in DATA_DIR',
  } as Option<string | undefined>,
  DATA_DIR: withDefault('.rollcall', 'Directory of the embedded database and generated keys'),
  AUTH_MODE: {
    fallback: undefined,
    read: oneOf(AUTH_MODES),
    help: 'none (everyone is the local user) or jwt',
    shownDefault: 'none on a loopback HOST',
  } as Option<(typeof AUTH_MODES)[number] | undefined>,
  ALLOW_INSECURE: flag('Allow AUTH_MODE=none on a HOST that others can reach'),
  AUTH_JWKS_URL: {
    fallback: undefined,
    read: url(['http:', 'https:']),
    help: 'Where the public keys of tokens are',
    shownDefault: 'none',
  } as Option<string | undefined>,
  AUTH_SECRET: {
    fallback: undefined,
    read: secret,
    help: 'Shared secret of HS256 tokens, instead of AUTH_JWKS_URL',
    shownDefault: 'none',
  } as Option<string | undefined>,
  AUTH_ISSUER: text('`iss` that tokens must have', 'any'),
  AUTH_AUDIENCE: text('`aud` that tokens must have', 'any'),
  EGRESS_ALLOW: {
    ...list('Addresses (CIDR) and hosts that user-supplied URLs may reach besides public ones'),
    fallback: undefined,
    shownDefault: 'loopback with AUTH_MODE=none, else nothing private',
  } as Option<readonly string[] | undefined>,
  SECRET_KEY: {
    fallback: undefined,
    read: secret,
    help: 'Encrypts stored credentials',
    shownDefault: 'generated in DATA_DIR; required with postgres://',
  } as Option<string | undefined>,
  SUBGRAPHS: text(
    'File or URL: [{ "name", "url", "sdl"?, "subscriptionsUrl"?, "headers"?, "forwardHeaders"?, "timeoutMs"? }]',
  ),
  SUPERGRAPH: text('File or URL of a ready supergraph SDL'),
  GRAPHQL_HOT_PATH: {
    ...flag('Run queries that were answered before without the whole GraphQL pipeline'),
    fallback: true,
  } as Option<boolean>,
  INTROSPECTION: { ...flag('Answer GraphQL introspection'), fallback: true } as Option<boolean>,
  MAX_BODY_BYTES: {
    fallback: 16 * 1024 * 1024,
    read: whole(1_024, 1024 ** 3),
    help: 'Largest request body',
    shownDefault: '16777216 (16 MiB)',
  } as Option<number>,
  LOG_LEVEL: { fallback: 'info', read: oneOf(LOG_LEVELS), help: LOG_LEVELS.join(', ') } as Option<
    (typeof LOG_LEVELS)[number]
  >,
} as const;
