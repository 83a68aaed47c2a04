import { type Config, flagOf, readConfig } from '../config.ts';
import { OPTIONS, type Option } from '../config-options.ts';
import { RollcallError } from '../errors.ts';
import { UsageError } from './exit.ts';
import type { Io } from './io.ts';

/** Values of flags by their names in camel case, as commander hands them over; true for a flag without a value. */
export type GivenFlags = Readonly<Record<string, unknown>>;

/** DATA_DIR is dataDir among the flags that were given. */
const keyOf = (name: string): string => flagOf(name).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The flags that are settings, in the form that {@link readConfig} reads. */
export const settingsArguments = (given: GivenFlags): string[] =>
  Object.keys(OPTIONS).flatMap((name) => {
    const value = given[keyOf(name)];
    return value === undefined ? [] : [`--${flagOf(name)}=${String(value)}`];
  });

/** The configuration of environment and flags. @throws UsageError naming the variable that is wrong. */
export function readSettings({ env }: Pick<Io, 'env'>, given: GivenFlags | object): Config {
  try {
    return readConfig(env, settingsArguments(given as GivenFlags));
  } catch (error) {
    if (error instanceof RollcallError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** A setting as --help lists it. */
export interface SettingHelp {
  readonly flags: string;
  readonly description: string;
}

/** The help of every setting, from its row in the table of options. */
export const settingsHelp = (names: readonly string[] = Object.keys(OPTIONS)): SettingHelp[] =>
  names.map((name) => {
    const option = OPTIONS[name as keyof typeof OPTIONS] as Option<unknown>;
    const fallback = option.shownDefault ?? String(option.fallback);
    const value = typeof option.fallback === 'boolean' ? '[true|false]' : '<value>';
    return {
      flags: `--${flagOf(name)} ${value}`,
      description: `${option.help} (default: ${fallback}; environment: ${name})`,
    };
  });
