import { invalid } from '../../../errors.ts';
import { type Codec, objectAt, type Source, type Target, type WireObject } from '../codec.ts';
import { timestamp, utcMilliseconds } from '../scalars.ts';

/** An operation that answers nothing: null in JSON-RPC; an empty object is understood too. */
export const nothing: Codec<null> = { read: () => null, write: () => null };

/** A status time. An agent's that cannot be understood is dropped: it is not worth losing the status for. */
export const statusTime: Codec<string> = {
  read(value, path, source) {
    if (source.strict) return timestamp.read(value, path, source);
    // struct takes an undefined member for an absent one.
    return (typeof value === 'string' ? utcMilliseconds(value) : undefined) as string;
  },
  write: (value) => value,
};

/** A codec of one of several kinds of objects, and whether an object is of any of them. */
export interface KindsCodec<T> extends Codec<T> {
  knows(wire: WireObject): boolean;
}

/** A wrapper with exactly one of several members, as protobuf's oneof is written in JSON. */
export function oneOf<M extends object, T>(
  members: { readonly [K in keyof M]: Codec<M[K]> },
  wireNames: { readonly [K in keyof M]?: readonly string[] } = {},
): KindsCodec<T> {
  const names = Object.keys(members) as (keyof M & string)[];
  const byWireName = new Map<string, keyof M & string>();
  for (const name of names) {
    for (const wireName of wireNames[name] ?? [name, name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)]) {
      byWireName.set(wireName, name);
    }
  }
  const namesIn = (wire: WireObject): string[] =>
    Object.keys(wire).filter((key) => byWireName.has(key) && wire[key] != null);
  return {
    knows: (wire) => namesIn(wire).length > 0,
    read(value: unknown, path: string, source: Source): T {
      const wire = objectAt(value, path);
      const found = namesIn(wire);
      const [key] = found;
      if (key === undefined || found.length > 1) {
        throw invalid(path, `needs exactly one of ${names.join(', ')}; it has ${found.length || 'none'}.`);
      }
      const name = byWireName.get(key) as keyof M & string;
      return { [name]: members[name].read(wire[key], `${path}.${key}`, source) } as T;
    },
    write(value: T, target: Target): unknown {
      const model = value as { readonly [K in keyof M]?: M[K] };
      const out: Record<string, unknown> = {};
      for (const name of names) {
        const inner = model[name];
        if (inner !== undefined)
          out[wireNames[name]?.[0] ?? name] = members[name].write(inner as M[typeof name], target);
      }
      return out;
    },
  };
}

const MODEL_NAMES: { readonly [kind: string]: string } = {
  task: 'task',
  message: 'message',
  'status-update': 'statusUpdate',
  'artifact-update': 'artifactUpdate',
};

/** A bare object whose `kind` says what it is; where an agent forgot it, its members do. */
export function byKind<T>(codecs: { readonly [kind: string]: Codec<unknown> }): KindsCodec<T> {
  const entries = Object.entries(codecs);
  const kindIn = (wire: WireObject): unknown => wire.kind ?? guessKind(wire);
  return {
    knows: (wire) => entries.some(([name]) => name === kindIn(wire)),
    read(value, path, source) {
      const wire = objectAt(value, path);
      const kind = kindIn(wire);
      const codec = entries.find(([name]) => name === kind)?.[1];
      if (codec === undefined) {
        throw invalid(`${path}.kind`, `must be one of ${entries.map(([name]) => name).join(', ')}.`);
      }
      return { [MODEL_NAMES[kind as string] as string]: codec.read(wire, path, source) } as T;
    },
    write(value, target) {
      const model = value as { readonly [name: string]: unknown };
      for (const [kind, codec] of entries) {
        const inner = model[MODEL_NAMES[kind] as string];
        if (inner !== undefined) return codec.write(inner, target);
      }
      return null;
    },
  };
}

const guessKind = (wire: { readonly [name: string]: unknown }): string | undefined => {
  if ('artifact' in wire) return 'artifact-update';
  if ('status' in wire) return 'taskId' in wire ? 'status-update' : 'task';
  return 'parts' in wire ? 'message' : undefined;
};
