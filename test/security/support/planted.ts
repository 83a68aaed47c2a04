import { randomBytes } from 'node:crypto';

/** A secret that no output may hold in any spelling. */
export interface Planted {
  readonly name: string;
  readonly value: string;
}

/** A value that looks different in each spelling: base64 and URLs write "/", "+" and "~" in ways of their own. */
export const plant = (name: string): Planted => ({
  name,
  value: `plant/${name}+${randomBytes(12).toString('hex')}~x`,
});

/** The part of a text's base64 that does not depend on what stands before and after it. */
function inBase64(value: Buffer, shift: number): string {
  const before = Buffer.alloc(shift, 'x');
  const text = Buffer.concat([before, value]).toString('base64').replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  return text.slice(first, Math.floor(((shift + value.length) * 8) / 6));
}

/** How a secret may be spelled. OAuth clients encode it for a form before base64 (RFC 6749 §2.3.1). */
export function spellings({ value }: Planted): readonly string[] {
  const form = new URLSearchParams({ value }).toString().slice('value='.length);
  const plain = [value, encodeURIComponent(value), encodeURI(value), form];
  const base64 = plain.flatMap((text) => [0, 1, 2].map((shift) => inBase64(Buffer.from(text), shift)));
  return [
    ...new Set([
      ...plain,
      ...plain.map((text) => text.replace(/%../g, (code) => code.toLowerCase())),
      JSON.stringify(value).slice(1, -1),
      value.replaceAll('/', '\\/'),
      ...plain.map((text) => Buffer.from(text).toString('hex')),
      ...plain.map((text) => Buffer.from(text).toString('hex').toUpperCase()),
      ...base64,
      ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    ]),
  ];
}

/** The secrets that are in a text, each with how it is spelled there and what stands around it. */
export function secretsIn(planted: readonly Planted[], text: string): string[] {
  return planted.flatMap((secret) =>
    spellings(secret).flatMap((spelling) => {
      const at = text.indexOf(spelling);
      return at === -1 ? [] : [`${secret.name}: …${text.slice(Math.max(0, at - 120), at + spelling.length + 40)}…`];
    }),
  );
}
