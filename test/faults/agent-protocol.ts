/** What the test and the processes of its agents tell each other. */

/** To an agent. */
export type Command =
  /** From now on requests are not answered: see each agent. */
  | { readonly type: 'hold' }
  /** Those that come from now on are answered again; what is withheld goes out. */
  | { readonly type: 'release' }
  /** Endless work comes to its end. */
  | { readonly type: 'finish' }
  | { readonly type: 'report' };

/** From an agent. */
export type Notice =
  | { readonly type: 'ready'; readonly url: string }
  /** A request has come in that is not answered. */
  | { readonly type: 'held'; readonly what: 'token' | 'message'; readonly messageId?: string }
  /** All chunks of a task are out; its end is withheld. */
  | { readonly type: 'withheld'; readonly messageId: string }
  | { readonly type: 'report'; readonly work: Readonly<Record<string, Work>> };

/** What was done for a message, by the agent's own account. */
export interface Work {
  executions: number;
  /** The chunks of its last execution, in order. */
  chunks: string[];
}

/** What a message to the paced agent asks for, as JSON in its text. */
export interface Order {
  /** How many chunks; without a number they come until the test says `finish`. */
  readonly chunks?: number;
  /** The pause before each. Milliseconds. */
  readonly pace: number;
  /** Whether the end waits for `release`. */
  readonly withhold?: boolean;
}

/** An agent's side: tells the test, hears from it, and ends with it. */
export function connectToTest(hear: (command: Command) => void): (notice: Notice) => void {
  process.on('message', (command) => hear(command as Command));
  process.on('disconnect', () => process.exit(0));
  return (notice) => void process.send?.(notice);
}
