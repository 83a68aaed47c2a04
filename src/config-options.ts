/** One setting: how its text is read, what holds without it, and what it is for. */
export interface Option<T> {
  readonly fallback: T;
  /** @throws Error saying what is expected. */
  readonly read: (text: string) => T;
  readonly help: string;
  /** The default as a person reads it, where the value does not say it. */
  readonly shownDefault?: string;
  /** Another environment variable that is read when the one of this name is not set. */
  readonly alias?: string;
}

const text = (help: string, shownDefault = 'none'): Option<string | undefined> => ({
  fallback: undefined,
  read: (t) => t,
  help,
  shownDefault,
});
/** A secret of Flyte: set as flytekit sets it, or a file of that name in lower case below MMCLOUD_SECRETS_DIR. */
const fromSecret = (secret: string, help: string): Option<string | undefined> => ({
  ...text(`${help}; _FSEC_${secret} is read too`, `file ${secret.toLowerCase()}`),
  alias: `_FSEC_${secret}`,
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

/** How much each caller may ask; callers are told apart only where there are tokens. */
export interface CallerLimit extends Option<number | undefined> {
  readonly withTokens: number;
}
const perCaller = (withTokens: number, help: string): CallerLimit => ({
  fallback: undefined,
  read: whole(0, 1_000_000_000),
  help: `${help}; 0 sets no limit`,
  shownDefault: `${withTokens} with AUTH_MODE=jwt, else 0`,
  withTokens,
});

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
  FLYTE_TLS: {
    fallback: undefined,
    read: readBoolean,
    help: "Whether Flyte's port speaks TLS, with TLS_CERT and TLS_KEY",
    shownDefault: 'true with TLS_CERT',
  } as Option<boolean | undefined>,
  FLYTE_AGENTS: list('Modules of Flyte agents that run inside this process: files, separated by commas'),
  FLYTE_SILENCE_MS: {
    fallback: 300_000,
    read: whole(1_000, 86_400_000),
    help: "How long propeller may be silent about a task of Flyte's before Rollcall asks how it stands; milliseconds",
  } as Option<number>,
  FLYTE_STORE_IO: flag("Keep the inputs and outputs of Flyte's tasks with them: whoever sees the task sees them"),
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
  METRICS_TOKEN: {
    fallback: undefined,
    read: secret,
    help: 'What scrapers of /metrics must present as their bearer token',
    shownDefault: 'none: whoever reaches it reads it',
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
  CARD_SIGNING_KEY: text('File with the private key (PEM or JSON Web Key) that signs the 1.0 cards of agents'),
  CARD_SIGNATURES: {
    fallback: 'audit',
    read: oneOf(['off', 'audit', 'require']),
    help: 'Signatures of imported cards: off, audit (checked and shown), or require (a card must verify)',
  } as Option<'off' | 'audit' | 'require'>,
  SUBGRAPHS: text(
    'File or URL: [{ "name", "url", "sdl" or "sdlFile"?, "subscriptionsUrl"?, "shareRunningStreams"?, "headers"?, "forwardHeaders"?, "returnHeaders"?, "timeoutMs"? }]',
  ),
  SUPERGRAPH: text('File or URL of a ready supergraph SDL'),
  GRAPH_POLL_SECONDS: {
    fallback: 10,
    read: whole(0, 86_400),
    help: 'Seconds between readings of SUBGRAPHS, SUPERGRAPH and the schemas of subgraphs; 0 reads them at the start, and when a file changes',
  } as Option<number>,
  GRAPH_DEADLINE_SECONDS: {
    fallback: 30,
    read: whole(0, 3_600),
    help: 'Seconds that the requests to remote subgraphs for one answer may take together; 0 sets no limit',
  } as Option<number>,
  GRAPH_MAX_OPERATIONS: {
    fallback: 2_000,
    read: whole(1, 1_000_000),
    help: 'GraphQL queries and mutations that run at the same time; further ones are refused with OVERLOADED',
  } as Option<number>,
  GRAPHQL_HOT_PATH: {
    ...flag('Run queries that were answered before without the whole GraphQL pipeline'),
    fallback: true,
  } as Option<boolean>,
  INTROSPECTION: { ...flag('Answer GraphQL introspection'), fallback: true } as Option<boolean>,
  MMCLOUD_FLOAT: withDefault('float', "MemVerge's `float` CLI: a path, or a name that PATH knows"),
  MMCLOUD_ADDRESS: fromSecret('MMC_ADDRESS', 'Address of the MMCloud OpCenter'),
  MMCLOUD_USERNAME: fromSecret('MMC_USERNAME', 'User of the MMCloud OpCenter'),
  MMCLOUD_PASSWORD: fromSecret('MMC_PASSWORD', "That user's password"),
  MMCLOUD_SECRETS_DIR: withDefault('/etc/secrets', 'Directory of the files mmc_address, mmc_username and mmc_password'),
  MAX_BODY_BYTES: {
    fallback: 16 * 1024 * 1024,
    read: whole(1_024, 1024 ** 3),
    help: 'Largest request body',
    shownDefault: '16777216 (16 MiB)',
  } as Option<number>,
  RATE_LIMIT_PER_CALLER: perCaller(6_000, 'Requests and socket operations per minute of one signed-in caller'),
  RATE_LIMIT_PER_ADDRESS: perCaller(
    30_000,
    'Requests per minute of one address, whoever asks; a refused token counts as 10',
  ),
  MAX_STREAMS_PER_CALLER: perCaller(1_000, 'Streams (A2A and GraphQL, over every door) that one caller may have open'),
  MAX_SOCKETS_PER_CALLER: perCaller(200, 'WebSockets that one caller, or an address before sign-in, may have open'),
  MAX_RUNNING_TASKS_PER_CALLER: perCaller(1_000, 'Tasks that one caller may have at work'),
  MAX_PUSH_CONFIGS_PER_CALLER: perCaller(10_000, 'Push notification configs at work of one caller, over all tasks'),
  SOCKET_IDLE_SECONDS: {
    fallback: 1_800,
    read: whole(0, 604_800),
    help: 'Seconds after which a WebSocket without an operation is closed; 0: never',
  } as Option<number>,
  TASK_LEASE_MS: {
    fallback: 30_000,
    read: whole(1_000, 600_000),
    help: 'How long tasks of a server that died wait on PostgreSQL before another takes them over; milliseconds',
  } as Option<number>,
  TASK_LOG_RETENTION_DAYS: {
    fallback: 30,
    read: whole(0, 36_500),
    help: 'Days after its end for which the log of a task keeps its single entries; 0: for ever',
  } as Option<number>,
  AUDIT_RETENTION_DAYS: {
    fallback: 400,
    read: whole(0, 36_500),
    help: 'Days for which the audit log is kept; 0: for ever',
  } as Option<number>,
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    fallback: undefined,
    read: url(['http:', 'https:']),
    help: 'Base URL of an OpenTelemetry collector (OTLP over HTTP) that traces of GraphQL operations go to',
    shownDefault: 'none',
  } as Option<string | undefined>,
  LOG_LEVEL: { fallback: 'info', read: oneOf(LOG_LEVELS), help: LOG_LEVELS.join(', ') } as Option<
    (typeof LOG_LEVELS)[number]
  >,
} as const;
