import { parseArgs } from 'node:util';
import { OPTIONS, type Option } from './config-options.ts';
import { RollcallError } from './errors.ts';

type Values = { readonly [K in keyof typeof OPTIONS]: (typeof OPTIONS)[K] extends Option<infer T> ? T : never };

/** The whole configuration: one value per option of {@link OPTIONS}, checked. */
export type Config = Values;

/** PORT is given as --port, AUTH_MODE as --auth-mode. */
export const flagOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** The flags of all options, for parseArgs. */
export const CONFIG_FLAGS = Object.fromEntries(
  Object.keys(OPTIONS).map((name) => [flagOf(name), { type: 'string' as const }]),
);

/** Wrong configuration: what starts the process prints the message and ends with exit code 2. */
export const misconfigured = (name: string, message: string): RollcallError =>
  new RollcallError('INVALID_INPUT', `${name}: ${message}`, { field: name });

/**
 * Reads the configuration: a flag wins over the environment, which wins over the default. Empty variables count as unset.
 *
 * @throws RollcallError INVALID_INPUT naming the variable that is wrong, or the flag that is not known.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, args: readonly string[] = []): Config {
  let flags: Record<string, unknown>;
  try {
    flags = parseArgs({ args: [...args], options: CONFIG_FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new RollcallError('INVALID_INPUT', `${(error as Error).message.split('. ')[0]}. See rollcall start --help.`, {
      cause: error,
    });
  }
  const config: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(OPTIONS) as [string, Option<unknown>][]) {
    const given = (flags[flagOf(name)] as string | undefined) ?? (env[name] || (option.alias && env[option.alias]));
    if (given === undefined || given === '') {
      config[name] = option.fallback;
      continue;
    }
    try {
      config[name] = option.read(given);
    } catch (error) {
      throw misconfigured(name, (error as Error).message);
    }
  }
  return settle(config as Config);
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** The limits per caller, where they are not set: without tokens there is one caller, who may do everything. */
const callerLimits = (config: Config, mode: 'none' | 'jwt'): Partial<Config> =>
  Object.fromEntries(
    Object.entries(OPTIONS).flatMap(([name, option]) =>
      'withTokens' in option ? [[name, config[name as keyof Config] ?? (mode === 'jwt' ? option.withTokens : 0)]] : [],
    ),
  );

/** The rules between options, and the defaults that depend on others. */
function settle(config: Config): Config {
  const { HOST, AUTH_MODE, ALLOW_INSECURE, AUTH_JWKS_URL, AUTH_SECRET, DATABASE_URL, SECRET_KEY, TLS_CERT, TLS_KEY } =
    config;
  const mode = AUTH_MODE ?? (isLoopback(HOST) ? 'none' : undefined);
  if (mode === undefined)
    throw misconfigured(
      'AUTH_MODE',
      `HOST is ${HOST}, which others can reach: set AUTH_MODE=jwt, or keep HOST=127.0.0.1`,
    );
  if (mode === 'none' && !isLoopback(HOST) && !ALLOW_INSECURE) {
    throw misconfigured(
      'AUTH_MODE',
      `none lets everyone who reaches ${HOST} do everything. Set AUTH_MODE=jwt, or ALLOW_INSECURE=true if that is what you want`,
    );
  }
  if (mode === 'jwt') {
    if (AUTH_JWKS_URL === undefined && AUTH_SECRET === undefined)
      throw misconfigured(
        'AUTH_JWKS_URL',
        'AUTH_MODE=jwt needs AUTH_JWKS_URL (public keys) or AUTH_SECRET (a shared secret)',
      );
    if (AUTH_JWKS_URL !== undefined && AUTH_SECRET !== undefined)
      throw misconfigured(
        'AUTH_SECRET',
        'set either AUTH_JWKS_URL or AUTH_SECRET, not both: a public key must never be taken for a secret',
      );
  }
  if (DATABASE_URL?.startsWith('postgres') && SECRET_KEY === undefined) {
    throw misconfigured(
      'SECRET_KEY',
      'a PostgreSQL database is shared by replicas, so the key for stored credentials cannot be generated here. Set it to a random text of at least 32 characters, the same for all',
    );
  }
  if ((TLS_CERT === undefined) !== (TLS_KEY === undefined))
    throw misconfigured(TLS_CERT === undefined ? 'TLS_CERT' : 'TLS_KEY', 'TLS needs both TLS_CERT and TLS_KEY');
  if (config.FLYTE_TLS && TLS_CERT === undefined) throw misconfigured('FLYTE_TLS', 'true needs TLS_CERT and TLS_KEY');
  return {
    ...config,
    ...callerLimits(config, mode),
    AUTH_MODE: mode,
    FLYTE_PORT: config.FLYTE_PORT ?? (mode === 'none' ? 8000 : undefined),
  };
}
