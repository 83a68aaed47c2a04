import type { DialectName } from '../dialects/dialect.ts';
import type { CardForm } from './write.ts';

/** The form of the card that an operation answers in each dialect. */
export const CARD_FORM_OF: { readonly [D in DialectName]: CardForm } = {
  '1.0': 'v1',
  '0.3': 'hybrid',
  '0.3-rest': 'hybrid',
  early: 'legacy',
};
