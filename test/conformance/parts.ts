/** Content other than text, whatever a dialect calls it. */
export type Extra =
  | { readonly data: object }
  | { readonly name: string; readonly mediaType: string; readonly bytes: string }
  | { readonly name: string; readonly mediaType: string; readonly uri: string };

/** What goes to an agent and comes back with its answer: every kind of part that all versions have. */
export const EXTRAS: readonly Extra[] = [
  { data: { answer: 42, nested: { list: [1, 'two', null, true] } } },
  { name: 'small.bin', mediaType: 'application/octet-stream', bytes: 'AAH+/w==' },
  { name: 'far.pdf', mediaType: 'application/pdf', uri: 'https://files.example/far.pdf' },
];

/** The same without the names of files, for which 0.3's HTTP+JSON form has no room. */
export const withoutNames = (extras: readonly Extra[]): object[] =>
  extras.map((extra) => ('data' in extra ? extra : { ...extra, name: undefined }));

type Json = Readonly<Record<string, unknown>>;

/** A part of 0.2 and 0.3 (`kind`) or of the early era (`type`). */
export function taggedPart(tag: 'kind' | 'type', extra: Extra): Json {
  if ('data' in extra) return { [tag]: 'data', data: extra.data };
  const { name, mediaType: mimeType } = extra;
  const content = 'bytes' in extra ? { bytes: extra.bytes } : { uri: extra.uri };
  return { [tag]: 'file', file: { name, mimeType, ...content } };
}

/** What is not text among parts of 0.2, 0.3 and the early era. */
export const taggedExtras = (parts: readonly object[]): Extra[] =>
  (parts as readonly Json[]).flatMap((part): Extra[] => {
    if (part['data'] !== undefined) return [{ data: part['data'] as object }];
    const file = part['file'] as { name: string; mimeType: string; bytes?: string; uri: string } | undefined;
    if (file === undefined) return [];
    const { name, mimeType: mediaType, bytes, uri } = file;
    return [bytes === undefined ? { name, mediaType, uri } : { name, mediaType, bytes }];
  });

/** A part of 1.0. */
export function part1(extra: Extra): Json {
  if ('data' in extra) return { data: extra.data };
  const { name: filename, mediaType } = extra;
  return 'bytes' in extra ? { raw: extra.bytes, filename, mediaType } : { url: extra.uri, filename, mediaType };
}

/** What is not text among parts of 1.0. */
export const extras1 = (parts: readonly object[]): Extra[] =>
  (parts as readonly Json[]).flatMap((part): Extra[] => {
    if (part['data'] !== undefined) return [{ data: part['data'] as object }];
    const { filename: name, mediaType, raw, url } = part as Readonly<Record<string, string | undefined>>;
    if (raw !== undefined) return [{ name: name!, mediaType: mediaType!, bytes: raw }];
    return url === undefined ? [] : [{ name: name!, mediaType: mediaType!, uri: url }];
  });
