import { CARD_LIMITS } from './limits.ts';

/** Something wrong with a card. An error makes it unusable; a warning says what was assumed or left out. */
export interface CardProblem {
  /** JSONPath (RFC 9535) in the card as it was written: `$.skills[0].id`. */
  readonly path: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** Collects what is wrong with one card. Keeps a bounded number, errors before warnings, and never forgets an error. */
export class CardProblems {
  readonly #errors: CardProblem[] = [];
  readonly #warnings: CardProblem[] = [];

  error(path: string, message: string): void {
    if (this.#errors.length < CARD_LIMITS.problems) this.#errors.push({ path, severity: 'error', message });
  }

  warning(path: string, message: string): void {
    if (this.#warnings.length < CARD_LIMITS.problems) this.#warnings.push({ path, severity: 'warning', message });
  }

  get failed(): boolean {
    return this.#errors.length > 0;
  }

  list(): CardProblem[] {
    return [...this.#errors, ...this.#warnings].slice(0, CARD_LIMITS.problems);
  }
}
