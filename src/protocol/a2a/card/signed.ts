import { canonicalJson } from '../../canonical-json.ts';
import { parseCard } from './parse.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One signature as a card carries it (JWS JSON serialisation, RFC 7515 §7.2). */
export interface WireSignature {
  readonly protected: string;
  readonly signature: string;
}

/** A card's signatures, and the texts that one of them may cover. */
export interface SignedCard {
  readonly signatures: readonly WireSignature[];
  /**
   * RFC 8785 forms of the card without `signatures`: as it came and, where that differs, without the members that
   * ProtoJSON leaves out (A2A 1.0 §8.4.1). Both cover every member that says something.
   */
  readonly payloads: readonly string[];
}

/** The text that a signature of a card covers: its RFC 8785 form without `signatures`. */
export function signingPayload(card: object): string {
  const { signatures: _, ...rest } = card as JsonObject;
  return canonicalJson(rest);
}

/** Reads what can be verified in a card as it came. A document that is no card has no signatures. */
export function readSignedCard(body: Uint8Array): SignedCard {
  const parsed = parseCard(body);
  if (!('value' in parsed) || !isObject(parsed.value)) return { signatures: [], payloads: [] };
  const card = parsed.value;
  const given = Array.isArray(card['signatures']) ? card['signatures'] : [];
  const signatures = given.filter(
    (entry): entry is WireSignature =>
      isObject(entry) && typeof entry['protected'] === 'string' && typeof entry['signature'] === 'string',
  );
  if (signatures.length === 0) return { signatures, payloads: [] };
  const whole = signingPayload(card);
  const lean = signingPayload(withoutDefaults(card) as JsonObject);
  return { signatures, payloads: whole === lean ? [whole] : [whole, lean] };
}

/** Members with ProtoJSON's default value removed, at every depth; entries of lists stay. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] =>
    member === null ||
    member === '' ||
    member === false ||
    member === 0 ||
    (Array.isArray(member) && member.length === 0)
      ? []
      : [[name, withoutDefaults(member)]],
  );
  return Object.fromEntries(kept);
}
