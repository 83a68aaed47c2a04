import { invalid } from '../../errors.ts';
import { type Codec, isObject, kindOf, member, objectAt, optional, struct, type WireObject } from './codec.ts';
import type { JsonObject, Part } from './model.ts';
import { base64, json, text } from './scalars.ts';

interface FlatPart {
  readonly text?: string;
  readonly raw?: string;
  readonly url?: string;
  readonly data?: unknown;
  readonly metadata?: JsonObject;
  readonly filename?: string;
  readonly mediaType?: string;
}

const ONE_MEMBER = 'needs exactly one of text, raw, url and data.';
const flatPart = struct<FlatPart>(
  {
    text: optional(text),
    raw: optional(base64),
    url: optional(text),
    // Read apart: null is a value here, and nowhere else.
    data: null,
    metadata: optional(json),
    filename: optional(text),
    mediaType: optional(text),
  },
  { snake: true, computed: { data: (part) => part.data } },
);

/** A part of 1.0: the member that is there says what it is. */
export const memberPart: Codec<Part> = {
  read(value, path, source) {
    const wire = objectAt(value, path);
    const part: Record<string, unknown> = { ...flatPart.read(wire, path, source) };
    const members = ['text', 'raw', 'url'].filter((name) => part[name] !== undefined).length;
    // A null beside another member is a serialiser's way to say "absent".
    const hasData = 'data' in wire && wire.data !== undefined && (wire.data !== null || members === 0);
    if (members + (hasData ? 1 : 0) !== 1) throw invalid(path, ONE_MEMBER);
    if (hasData) part.data = wire.data;
    return part as unknown as Part;
  },
  write: (part, target) => flatPart.write(part, target),
};

/** Says in the metadata of a data part that its value was wrapped, because older dialects know only objects there. */
const WRAPPED = 'data_part_compat';

/** A value for a dialect whose data parts are objects: others travel as `{ value }`, marked in the metadata. */
function wrapData(value: unknown, metadata: JsonObject | undefined): { data: WireObject; metadata?: JsonObject } {
  if (isObject(value)) return metadata === undefined ? { data: value } : { data: value, metadata };
  return { data: { value }, metadata: { ...metadata, [WRAPPED]: true } };
}

function unwrapData(data: unknown, metadata: unknown): { data: unknown; metadata?: JsonObject | undefined } {
  if (!isObject(metadata) || metadata[WRAPPED] !== true) return { data };
  const { [WRAPPED]: _, ...rest } = metadata;
  return {
    data: isObject(data) && 'value' in data ? data.value : data,
    metadata: Object.keys(rest).length > 0 ? rest : undefined,
  };
}

interface File {
  readonly raw?: string;
  readonly url?: string;
  readonly filename?: string;
  readonly mediaType?: string;
}
const file = struct<File>({
  raw: optional(base64, { wire: 'bytes' }),
  url: optional(text, { wire: 'uri' }),
  filename: optional(text, { wire: 'name' }),
  mediaType: optional(text, { wire: 'mimeType' }),
});

const absent = (): undefined => undefined;
const taggedCommon = struct<FlatPart>(
  {
    text: optional(text),
    raw: null,
    url: null,
    data: null,
    metadata: optional(json),
    filename: optional(text),
    mediaType: optional(text),
  },
  { computed: { kind: absent, type: absent, file: absent, data: absent } },
);

const TAGS = ['text', 'file', 'data'] as const;

/**
 * A part of the dialects before 1.0, which name its sort in a member: `kind` in 0.2 and 0.3, `type` in the early era.
 * Both are understood, and so is a part without either. The superset form carries both.
 */
export const taggedPart = (discriminator: 'kind' | 'type'): Codec<Part> => ({
  read(value, path, source) {
    const wire = objectAt(value, path);
    const tag = wire[discriminator] ?? wire.kind ?? wire.type ?? TAGS.find((name) => wire[name] != null);
    const part: Record<string, unknown> = { ...taggedCommon.read(wire, path, source) };
    switch (tag) {
      case 'text':
        if (part.text === undefined) throw invalid(member(path, 'text'), 'is required.');
        break;
      case 'file': {
        const content = file.read(wire.file, member(path, 'file'), source);
        if ((content.raw === undefined) === (content.url === undefined)) {
          throw invalid(member(path, 'file'), 'needs exactly one of bytes and uri.');
        }
        delete part.text;
        Object.assign(part, content);
        break;
      }
      case 'data': {
        if (source.strict) objectAt(wire.data, member(path, 'data'));
        else if (wire.data === undefined) throw invalid(member(path, 'data'), 'is required.');
        const { data, metadata } = unwrapData(wire.data, wire.metadata);
        delete part.text;
        if ((wire.metadata as JsonObject | undefined)?.[WRAPPED] === true) {
          if (metadata === undefined) delete part.metadata;
          else part.metadata = metadata;
        }
        part.data = data;
        break;
      }
      default:
        throw invalid(
          member(path, discriminator),
          `must be text, file or data, not ${typeof tag === 'string' ? JSON.stringify(tag.slice(0, 40)) : kindOf(tag)}.`,
        );
    }
    return part as unknown as Part;
  },
  write(part, target) {
    const { raw, url, data, ...rest } = part as FlatPart;
    const tag =
      raw !== undefined || url !== undefined ? 'file' : 'data' in part && data !== undefined ? 'data' : 'text';
    const out: Record<string, unknown> = { [discriminator]: tag };
    if (target.superset) out[discriminator === 'kind' ? 'type' : 'kind'] = tag;
    if (tag === 'file') {
      const { filename, mediaType, ...others } = rest;
      const content: Record<string, unknown> = { ...(raw === undefined ? { url } : { raw }) };
      if (filename !== undefined) content.filename = filename;
      if (mediaType !== undefined) content.mediaType = mediaType;
      return { ...(taggedCommon.write(others, target) as object), ...out, file: file.write(content as File, target) };
    }
    if (tag === 'data') {
      const { metadata, ...others } = rest;
      return { ...(taggedCommon.write(others, target) as object), ...out, ...wrapData(data, metadata) };
    }
    return { ...(taggedCommon.write(rest, target) as object), ...out };
  },
});

interface WrappedFile {
  readonly raw?: string;
  readonly url?: string;
  readonly mediaType?: string;
}
const wrappedFile = struct<WrappedFile>(
  {
    raw: optional(base64, { wire: 'fileWithBytes' }),
    url: optional(text, { wire: 'fileWithUri' }),
    mediaType: optional(text, { wire: 'mimeType' }),
  },
  { snake: true, extras: false },
);

/** A part of 0.3's protobuf (a2a.v1): files and data sit in messages of their own; there is no room for metadata. */
export const wrappedPart: Codec<Part> = {
  read(value, path, source) {
    const wire = objectAt(value, path);
    const members = TAGS.filter((name) => wire[name] != null);
    if (members.length !== 1) throw invalid(path, 'needs exactly one of text, file and data.');
    if (members[0] === 'text') return { text: text.read(wire.text, member(path, 'text'), source) };
    if (members[0] === 'data') {
      const data = objectAt(wire.data, member(path, 'data'));
      return { data: data.data ?? {} };
    }
    const { raw, url, mediaType } = wrappedFile.read(wire.file, member(path, 'file'), source);
    if ((raw === undefined) === (url === undefined)) {
      throw invalid(member(path, 'file'), 'needs exactly one of fileWithBytes and fileWithUri.');
    }
    const common = mediaType === undefined ? {} : { mediaType };
    return raw === undefined ? { url: url as string, ...common } : { raw, ...common };
  },
  write(part, target) {
    if (part.raw !== undefined || part.url !== undefined)
      return { file: wrappedFile.write(part as WrappedFile, target) };
    if ('data' in part && part.data !== undefined) return { data: { data: wrapData(part.data, undefined).data } };
    return { text: part.text };
  },
};
