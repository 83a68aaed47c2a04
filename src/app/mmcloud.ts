import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { MMCloudAgent } from '../flyte/agents/mmcloud/agent.ts';
import type { OpCenterCredentials } from '../protocol/mmcloud/argv.ts';
import { FloatCli } from '../upstream/mmcloud/float.ts';

/** The settings, and the files that stand for them where Kubernetes mounts Flyte's secrets. */
const SECRETS = {
  address: ['MMCLOUD_ADDRESS', 'mmc_address'],
  username: ['MMCLOUD_USERNAME', 'mmc_username'],
  password: ['MMCLOUD_PASSWORD', 'mmc_password'],
} as const satisfies Record<keyof OpCenterCredentials, readonly [keyof Config, string]>;

function secretOf(config: Config, name: keyof OpCenterCredentials): string | undefined {
  const [setting, file] = SECRETS[name];
  if (config[setting] !== undefined) return config[setting];
  try {
    return readFileSync(join(config.MMCLOUD_SECRETS_DIR, file), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The path of a program that we may run; undefined when there is none. */
export function findProgram(program: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const candidates = program.includes('/')
    ? [resolve(program)]
    : path.split(delimiter).map((each) => join(each, program));
  return candidates.find((each) => {
    try {
      accessSync(each, constants.X_OK);
      return statSync(each).isFile();
    } catch {
      return false;
    }
  });
}

/**
 * The MMCloud agent, when the `float` CLI and its three secrets are there. Without any secret there is none; with some of
 * what it needs there is none either, and the log says what is missing.
 */
export function mmcloudAgents(config: Config, log: Logger): MMCloudAgent[] {
  const address = secretOf(config, 'address');
  const username = secretOf(config, 'username');
  const password = secretOf(config, 'password');
  if (address === undefined && username === undefined && password === undefined) return [];
  const program = findProgram(config.MMCLOUD_FLOAT);
  if (address === undefined || username === undefined || password === undefined || program === undefined) {
    const needed = {
      MMCLOUD_FLOAT: program,
      MMCLOUD_ADDRESS: address,
      MMCLOUD_USERNAME: username,
      MMCLOUD_PASSWORD: password,
    };
    const missing = Object.entries(needed).flatMap(([setting, value]) => (value === undefined ? [setting] : []));
    log.warn({ missing }, 'The MMCloud agent is not served: it needs the float CLI and its three secrets');
    return [];
  }
  log.info({ float: program }, 'The MMCloud agent is served');
  return [new MMCloudAgent(new FloatCli({ program, credentials: { address, username, password }, log }), log)];
}
