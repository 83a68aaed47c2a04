/** Decisions read from a tape of numbers: the same tape makes the same operation, and a shorter tape a smaller one. */
export class Choices {
  #at = 0;
  readonly #tape: readonly number[];

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  get exhausted(): boolean {
    return this.#at >= this.#tape.length;
  }

  /** From 0 to `below` - 1; always 0 when the tape has ended. */
  number(below: number): number {
    const next = this.#tape[this.#at++] ?? 0;
    return below <= 1 ? 0 : next % below;
  }

  /** True in about `percent` of cases; never when the tape has ended. */
  chance(percent: number): boolean {
    return !this.exhausted && this.number(100) >= 100 - percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.number(list.length)]!;
  }
}
