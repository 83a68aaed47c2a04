import { invalid } from '../../errors.ts';
import type { ArtifactIndexes } from './artifact-indexes.ts';

/** Where a value comes from: it decides how much is forgiven. */
export interface Source {
  /**
   * True for what a client asks of us: everything required must be there. False for what an agent answered: small
   * omissions are mended, because refusing the answer would lose work that was done.
   */
  readonly strict: boolean;
  /** Makes an id where the dialect has none. */
  readonly newId: () => string;
}

/** To whom a value goes. */
export interface Target {
  /** Write what both older dialects can read: for the methods whose names they share. */
  readonly superset: boolean;
  /** The ids as the receiver knows them, where its dialect lets it choose. */
  readonly taskId?: string | undefined;
  readonly contextId?: string | undefined;
  /** Numbers for artifacts, where the dialect counts them. */
  readonly indexes: ArtifactIndexes;
}

/** A pair of pure functions between the wire and the model. Readers throw INVALID_INPUT naming the path, nothing else. */
export interface Codec<T> {
  read(value: unknown, path: string, source: Source): T;
  write(value: T, target: Target): unknown;
}

/** How one member of a model type travels. */
export interface Field<T> {
  readonly codec: Codec<T>;
  /** Its name on the wire, when it differs from the model's. */
  readonly wire?: string;
  readonly required: boolean;
  /** What a missing required member means in an agent's answer; without it, the answer is refused. */
  readonly mend?: (wire: WireObject, source: Source) => T;
  /** Values that are left out, because the receiver takes them for granted. */
  readonly omit?: (value: T) => boolean;
}

export type WireObject = { readonly [name: string]: unknown };

/** One line per member of `T`; null says that the dialect has no place for it. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> | null };

export interface StructOptions<T> {
  /** Accept `context_id` for `contextId`, as ProtoJSON parsers must. */
  readonly snake?: boolean;
  /** False drops members that this dialect does not define: its receivers are strict protobuf parsers. */
  readonly extras?: boolean;
  /** Members that only the wire has: known when reading (and ignored), computed when writing; undefined leaves out. */
  readonly computed?: { readonly [wireName: string]: (value: T, target: Target) => unknown };
}

export const required = <T>(codec: Codec<T>, more: Omit<Field<T>, 'codec' | 'required'> = {}): Field<T> => ({
  codec,
  required: true,
  ...more,
});
export const optional = <T>(codec: Codec<T>, more: Omit<Field<T>, 'codec' | 'required'> = {}): Field<T> => ({
  codec,
  required: false,
  ...more,
});

export const member = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

export const isObject = (value: unknown): value is WireObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `value` as an object, or an error that says what came instead. */
export function objectAt(value: unknown, path: string): WireObject {
  if (isObject(value)) return value;
  throw invalid(path === '' ? 'params' : path, `must be an object, not ${kindOf(value)}.`);
}

export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

// Assigning to `__proto__` would change the object's prototype instead of adding a member.
const UNSAFE = '__proto__';

interface Row {
  readonly model: string;
  readonly wire: string;
  readonly field: Field<unknown>;
}

/**
 * The codec of one object type, from a table. Members that the table does not name are kept in both directions, unless
 * their name means something else on the other side: then they would be mistaken for it, and are dropped.
 */
export function struct<T>(fields: Fields<T>, options: StructOptions<T> = {}): Codec<T> {
  const rows: Row[] = [];
  const byWireName = new Map<string, Row | null>();
  const modelNames = new Set<string>(Object.keys(fields));
  const computed = Object.entries(options.computed ?? {});
  const keepExtras = options.extras ?? true;
  for (const [model, field] of Object.entries(fields) as [string, Field<unknown> | null][]) {
    if (field === null) continue;
    const row = { model, wire: field.wire ?? model, field };
    rows.push(row);
    byWireName.set(row.wire, row);
    if (options.snake) byWireName.set(snakeCase(row.wire), row);
  }
  for (const [name] of computed) if (!byWireName.has(name)) byWireName.set(name, null);

  return {
    read(value, path, source) {
      const wire = objectAt(value, path);
      const out: Record<string, unknown> = {};
      for (const name of Object.keys(wire)) {
        const raw = wire[name];
        const row = byWireName.get(name);
        if (row === undefined) {
          if (!modelNames.has(name) && name !== UNSAFE) out[name] = raw;
        } else if (row !== null && raw !== null && raw !== undefined && !(name !== row.wire && row.wire in wire)) {
          const inner = row.field.codec.read(raw, member(path, name), source);
          if (inner !== undefined) out[row.model] = inner;
        }
      }
      for (const row of rows) {
        if (!row.field.required || out[row.model] !== undefined) continue;
        if (source.strict || !row.field.mend) throw invalid(member(path, row.wire), 'is required.');
        out[row.model] = row.field.mend(wire, source);
      }
      return out as T;
    },
    write(value, target) {
      const model = value as WireObject;
      const out: Record<string, unknown> = {};
      if (keepExtras) {
        for (const name of Object.keys(model)) {
          if (!modelNames.has(name) && !byWireName.has(name) && name !== UNSAFE) out[name] = model[name];
        }
      }
      for (const { model: name, wire, field } of rows) {
        const inner = model[name];
        if (inner !== undefined && !field.omit?.(inner)) out[wire] = field.codec.write(inner, target);
      }
      for (const [name, compute] of computed) {
        const inner = compute(value, target);
        if (inner !== undefined) out[name] = inner;
      }
      return out;
    },
  };
}

/** A list of `codec`'s values; `min` counts only for clients' requests (specification 1.0: required lists are not empty). */
export const list = <T>(codec: Codec<T>, min = 0): Codec<readonly T[]> => ({
  read(value, path, source) {
    if (!Array.isArray(value)) throw invalid(path, `must be an array, not ${kindOf(value)}.`);
    if (source.strict && value.length < min)
      throw invalid(path, `needs at least ${min} element${min === 1 ? '' : 's'}.`);
    return value.map((element: unknown, i) => codec.read(element, `${path}[${i}]`, source));
  },
  write: (values, target) => values.map((value) => codec.write(value, target)),
});
