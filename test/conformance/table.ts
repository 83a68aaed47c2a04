import { OPERATIONS, type Operation } from './clients/client.ts';

/** The letter of each operation; a capital one where the client's own interface lacks it. */
export const LETTERS: { readonly [O in Operation]: string } = {
  send: 's',
  stream: 't',
  get: 'g',
  cancel: 'c',
  resubscribe: 'r',
  'multi-turn': 'm',
  push: 'p',
};
const EMPTY = '·';

/** What worked, by client, agent and operation. */
export class Table {
  readonly #clients: readonly string[];
  readonly #agents: readonly string[];
  readonly #letters = new Map<string, string>();

  constructor(clients: readonly string[], agents: readonly string[]) {
    this.#clients = clients;
    this.#agents = agents;
  }

  fill(client: string, agent: string, operation: Operation, elsewhere: boolean): void {
    const letter = LETTERS[operation];
    this.#letters.set(`${client}|${agent}|${operation}`, elsewhere ? letter.toUpperCase() : letter);
  }

  cell(client: string, agent: string): string {
    return OPERATIONS.map((operation) => this.#letters.get(`${client}|${agent}|${operation}`) ?? EMPTY).join('');
  }

  /** The cells in which something is missing, and what. */
  missing(): string[] {
    return this.#clients.flatMap((client) =>
      this.#agents
        .filter((agent) => this.cell(client, agent).includes(EMPTY))
        .map((agent) => `${client} × ${agent}: ${this.cell(client, agent)}`),
    );
  }

  toString(): string {
    const first = Math.max(...this.#clients.map((name) => name.length));
    const widths = this.#agents.map((name) => Math.max(name.length, OPERATIONS.length));
    const line = (head: string, cells: readonly string[]): string =>
      [head.padEnd(first), ...cells.map((cell, i) => cell.padEnd(widths[i] ?? 0))].join('  ').trimEnd();
    const legend = OPERATIONS.map((operation) => `${LETTERS[operation]} ${operation}`).join(', ');
    return [
      'A2A: which client reaches which agent through Rollcall',
      `(${legend}; a capital: said in plain requests, as the client's interface lacks it; ${EMPTY} does not work)`,
      line('client \\ agent', this.#agents),
      ...this.#clients.map((client) =>
        line(
          client,
          this.#agents.map((agent) => this.cell(client, agent)),
        ),
      ),
    ].join('\n');
  }
}
