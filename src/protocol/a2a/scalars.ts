import { invalid } from '../../errors.ts';
import { type Codec, isObject, kindOf } from './codec.ts';
import { type JsonObject, type Role, TASK_STATES, type TaskState } from './model.ts';

const asItIs = <T>(value: T): unknown => value;

export const text: Codec<string> = {
  read(value, path) {
    if (typeof value !== 'string') throw invalid(path, `must be a string, not ${kindOf(value)}.`);
    return value;
  },
  write: asItIs,
};

/** A text that must say something. */
export const nonEmpty: Codec<string> = {
  read(value, path, source) {
    const read = text.read(value, path, source);
    if (read === '') throw invalid(path, 'must not be empty.');
    return read;
  },
  write: asItIs,
};

/** The longest id that a client may send, in characters: ids are indexed, and longer ones are mistakes. */
export const MAX_ID_LENGTH = 255;

/** An id: not empty, and in clients' requests at most {@link MAX_ID_LENGTH} characters. */
export const id: Codec<string> = {
  read(value, path, source) {
    const read = nonEmpty.read(value, path, source);
    if (source.strict && read.length > MAX_ID_LENGTH) {
      throw invalid(path, `is longer than ${MAX_ID_LENGTH} characters.`);
    }
    return read;
  },
  write: asItIs,
};

/** An empty string means the same as none, as in proto3; struct takes an undefined member for an absent one. */
const orAbsent = (codec: Codec<string>): Codec<string> => ({
  read: (value, path, source) => (value === '' ? (undefined as unknown as string) : codec.read(value, path, source)),
  write: asItIs,
});
/** An optional id. */
export const idOrAbsent = orAbsent(id);
/** An optional text that says nothing when it is empty. */
export const textOrAbsent = orAbsent(text);

export const boolean: Codec<boolean> = {
  read(value, path) {
    if (typeof value !== 'boolean') throw invalid(path, `must be true or false, not ${kindOf(value)}.`);
    return value;
  },
  write: asItIs,
};

/** A boolean that may come from a query string, as `true` or `false`. */
export const queryBoolean: Codec<boolean> = {
  read: (value, path, source) =>
    value === 'true' ? true : value === 'false' ? false : boolean.read(value, path, source),
  write: asItIs,
};

/** An integer between `min` and `max`; ProtoJSON and query strings also write it as a string. */
export const integer = (min: number, max = 2_147_483_647): Codec<number> => ({
  read(value, path, source) {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      throw invalid(path, `must be an integer, not ${typeof value === 'number' ? 'a fraction' : kindOf(value)}.`);
    }
    if (source.strict && (number < min || number > max)) throw invalid(path, `must be between ${min} and ${max}.`);
    return number;
  },
  write: asItIs,
});

/** A JSON object that is nobody's business but its owner's. */
export const json: Codec<JsonObject> = {
  read(value, path) {
    if (!isObject(value)) throw invalid(path, `must be an object, not ${kindOf(value)}.`);
    return value;
  },
  write: asItIs,
};

/** Any JSON value. */
export const anything: Codec<unknown> = { read: (value) => value, write: asItIs };

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?(?:([Zz])|([+-]\d{2}:?\d{2}))?$/;

/** The moment as `2026-01-02T03:04:05.678Z`; undefined when it is none. Without an offset it is taken as UTC. */
export function utcMilliseconds(value: string): string | undefined {
  const found = RFC3339.exec(value);
  if (!found) return undefined;
  const [, date, time, fraction = '', , offset] = found;
  const zone = offset === undefined ? 'Z' : offset.includes(':') ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  const moment = new Date(`${date}T${time}${fraction.slice(0, 4)}${zone}`);
  if (Number.isNaN(moment.getTime())) return undefined;
  const written = moment.toISOString();
  // An offset can carry a moment over the edge of the years that four digits can write.
  return written.length === 24 ? written : undefined;
}

/** A moment, normalised to UTC milliseconds as specification 1.0 §5.6.1 asks. */
export const timestamp: Codec<string> = {
  read(value, path, source) {
    const read = utcMilliseconds(text.read(value, path, source));
    if (read === undefined) throw invalid(path, 'must be a date and time such as 2026-01-02T03:04:05.678Z.');
    return read;
  },
  write: asItIs,
};

/**
 * Bytes as base64. Readers take both alphabets, with or without padding and line breaks; the model has the standard
 * alphabet with padding.
 */
export const base64: Codec<string> = {
  read(value, path, source) {
    let read = text.read(value, path, source);
    if (/[-_\s]/.test(read)) read = read.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/');
    // By hand: a pattern such as /=+$/ takes quadratic time on a long run of padding that something follows.
    const end = read.endsWith('==') ? read.length - 2 : read.endsWith('=') ? read.length - 1 : read.length;
    const whole = end % 4 !== 1 && (end > 0 || read === '') && /^[A-Za-z0-9+/]*$/.test(read.slice(0, end));
    if (!whole) throw invalid(path, 'must be base64.');
    return read.length % 4 === 0 ? read : read.slice(0, end).padEnd(Math.ceil(end / 4) * 4, '=');
  },
  write: asItIs,
};

/**
 * An enum: names for reading (several may mean the same value) and the one name per value for writing.
 * @param later what an agent means by a name (or number) that a later version may have added; absent: its answer is refused
 */
export function enumeration<T extends string>(
  names: { readonly [K in T]: string },
  aliases: { readonly [name: string]: T } = {},
  numbers: { readonly [number: string]: T } | readonly T[] = {},
  later?: T,
): Codec<T> {
  const values = new Map<unknown, T>(Object.entries(aliases));
  for (const [value, name] of Object.entries(names) as [T, string][]) {
    // The first of two values with one name is what that name means.
    if (!values.has(name)) values.set(name, value);
  }
  for (const [number, value] of Object.entries(numbers)) values.set(Number(number), value);
  const hasNumbers = Object.keys(numbers).length > 0;
  const choices = [...new Set<string>(Object.values(names))].join(', ');
  return {
    read(value, path, source) {
      const read = values.get(value);
      if (read !== undefined) return read;
      const isName = typeof value === 'string' || (hasNumbers && Number.isInteger(value));
      if (source.strict || !isName || later === undefined) throw invalid(path, `must be one of ${choices}.`);
      return later;
    },
    write: (value) => names[value],
  };
}

const protoName = (state: TaskState): string =>
  state === 'unknown' ? 'TASK_STATE_UNSPECIFIED' : `TASK_STATE_${state.toUpperCase().replace('-', '_')}`;

const protoStates = Object.fromEntries(TASK_STATES.map((state) => [state, protoName(state)])) as {
  readonly [K in TaskState]: string;
};

/** 1.0's names, in the order of their numbers in a2a.proto; 0.3's spelling of one of them is understood too. */
export const protoState = enumeration<TaskState>(
  protoStates,
  { TASK_STATE_CANCELLED: 'canceled' },
  TASK_STATES,
  'unknown',
);
/** 0.3's protobuf spells one state differently. */
export const protoStateTwoLs = enumeration<TaskState>(
  { ...protoStates, canceled: 'TASK_STATE_CANCELLED' },
  { TASK_STATE_CANCELED: 'canceled' },
  TASK_STATES,
  'unknown',
);

const plainNames = Object.fromEntries(TASK_STATES.map((state) => [state, state])) as { readonly [K in TaskState]: K };

/** 0.2's and 0.3's JSON names. */
export const plainState = enumeration<TaskState>(plainNames, { cancelled: 'canceled' }, {}, 'unknown');
/** The early era has seven states: a rejected task failed, and a task that waits for a sign-in waits for input. */
export const earlyState = enumeration<TaskState>(
  { ...plainNames, rejected: 'failed', 'auth-required': 'input-required' },
  // Agents that are ahead of their dialect are understood; clients of it never see these.
  {
    cancelled: 'canceled',
    rejected: 'rejected',
    'auth-required': 'auth-required',
    failed: 'failed',
    'input-required': 'input-required',
  },
  {},
  'unknown',
);

const roleOr = (codec: Codec<Role>, unspecified: readonly unknown[]): Codec<Role> => ({
  read: (value, path, source) =>
    !source.strict && unspecified.includes(value) ? 'agent' : codec.read(value, path, source),
  write: codec.write,
});
/** An agent that leaves its role unspecified speaks for itself; a client must say. */
export const protoRole = roleOr(
  enumeration<Role>({ user: 'ROLE_USER', agent: 'ROLE_AGENT' }, {}, { 1: 'user', 2: 'agent' }),
  ['ROLE_UNSPECIFIED', 0],
);
export const plainRole = enumeration<Role>({ user: 'user', agent: 'agent' });
