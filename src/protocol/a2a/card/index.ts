/** Agent cards of every era: reading any of them into one model, writing the forms that Rollcall serves, comparing. */
export { type CardChange, diffCards } from './diff.ts';
export { CARD_FORM_OF } from './form-of.ts';
export { CARD_LIMITS } from './limits.ts';
export * from './model.ts';
export { normaliseMode } from './modes.ts';
export { CARD_PATHS, cardUrlCandidates } from './paths.ts';
export type { CardProblem } from './problems.ts';
export { type CardReading, readCard } from './read.ts';
export * from './security.ts';
export { readSignedCard, signingPayload, type WireSignature } from './signed.ts';
export {
  CARD_FORMS,
  type CardEndpoints,
  type CardForm,
  cardEtag,
  DEPRECATED_NOTICE,
  type DerivedCardInput,
  writeCard,
} from './write.ts';
