import type { DialectName } from './dialects/dialect.ts';

/** The header, or the gRPC metadata, that names A2A extensions: what a caller speaks, and in the answer what is in use. */
export const EXTENSIONS_HEADER: { readonly [D in DialectName]: string } = {
  '1.0': 'a2a-extensions',
  '0.3': 'x-a2a-extensions',
  '0.3-rest': 'x-a2a-extensions',
  early: 'x-a2a-extensions',
};

/** The extensions that headers name, each once. */
export function extensionsIn(...headers: readonly (string | undefined)[]): string[] {
  const uris = headers.flatMap((header) => (header ?? '').split(',')).map((uri) => uri.trim());
  return [...new Set(uris)].filter((uri) => uri !== '');
}
