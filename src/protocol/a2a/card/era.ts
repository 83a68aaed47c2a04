import { CARD_LIMITS } from './limits.ts';
import type { CardEra } from './model.ts';
import { isMediaType } from './modes.ts';
import { CardNode } from './node.ts';
import { CardProblems } from './problems.ts';
import { dialectOf } from './version.ts';

/** An entry of supportedInterfaces or additionalInterfaces that names an endpoint at all. */
const isUsable = (entry: CardNode): boolean => entry.member('url').isText;

const usableInterfaces = (card: CardNode): boolean =>
  card.member('supportedInterfaces').items(CARD_LIMITS.interfaces).some(isUsable);

const declaredVersion = (card: CardNode): string => card.member('protocolVersion').text(CARD_LIMITS.version) ?? '';

const has =
  (...names: string[]) =>
  (card: CardNode): boolean =>
    names.some((name) => card.has(name));

const onlyMediaTypes = (card: CardNode): boolean => {
  const modes = ['defaultInputModes', 'defaultOutputModes'].map((name) => card.member(name));
  return modes.every((list) => {
    const texts = list.texts(CARD_LIMITS.modes, CARD_LIMITS.mode);
    return texts.length > 0 && texts.every(isMediaType);
  });
};

interface Evidence {
  readonly era: CardEra;
  readonly when: (card: CardNode) => boolean;
  /** The card says nothing certain: the reader warns. */
  readonly guess?: true;
}

/**
 * What tells the eras apart; the first row that holds decides, so a hybrid is of the newest era it supports. Versions
 * were declared from 0.2.5 on only, so older cards are known by the members that came or went with an era.
 */
const EVIDENCE: readonly Evidence[] = [
  { era: '1.0', when: usableInterfaces },
  { era: '1.0', when: (card) => dialectOf(declaredVersion(card)) === '1.0' },
  { era: '0.2', when: (card) => /^v?0\.2\b/.test(declaredVersion(card)) },
  { era: '0.3', when: (card) => dialectOf(declaredVersion(card)) === '0.3' },
  { era: 'early', when: (card) => dialectOf(declaredVersion(card)) === 'early' },
  { era: '1.0', when: (card) => !card.has('url') },
  { era: '0.3', when: has('preferredTransport', 'additionalInterfaces', 'signatures') },
  { era: '0.2', when: has('securitySchemes', 'security', 'supportsAuthenticatedExtendedCard', 'iconUrl') },
  { era: '0.2', when: (card) => card.member('capabilities').has('extensions') },
  { era: 'early', when: has('authentication') },
  { era: '0.2', when: onlyMediaTypes, guess: true },
  { era: 'early', when: () => true, guess: true },
];

/** The newest era whose endpoints a card declares, and whether that had to be guessed. Reports nothing. */
export function detectEra(value: unknown): { readonly era: CardEra; readonly guessed: boolean } {
  const card = new CardNode(new CardProblems(), value);
  const row = EVIDENCE.find((evidence) => evidence.when(card));
  return { era: row?.era ?? '1.0', guessed: row?.guess === true };
}
