import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type RollcallError, toRollcallError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import type { Graph } from '../host/graph.ts';
import type { GraphDefinition, GraphSource } from './graph-source.ts';
import { warmUp } from './warm-up.ts';

/** What the served graph is, and what keeps a newer one from being served. */
export interface GraphStatus {
  readonly loaded: boolean;
  /** Short digest of the supergraph that is served; empty before the first. */
  readonly version: string;
  /** When it came into service; undefined before the first. */
  readonly since: Date | undefined;
  /** Why the newest definition is not served. */
  readonly failure: string | undefined;
  readonly warnings: readonly string[];
}

/** What happened to one reading of the definition. */
export type RefreshOutcome = 'unchanged' | 'swapped' | 'failed';

/** A definition that a graph is to be made of. */
export interface NewDefinition extends GraphDefinition {
  /** Whether another graph is served meanwhile: then nothing may hold up its requests. */
  readonly serving?: boolean;
}

export interface LiveGraphOptions {
  readonly graph: Graph;
  readonly source: GraphSource;
  /** @throws RollcallError for a definition that makes no graph. */
  readonly build: (definition: NewDefinition) => Promise<Engine>;
  /** Milliseconds between readings; 0 never reads by itself. */
  readonly pollMs: number;
  readonly log: Logger;
  readonly onOutcome?: (outcome: RefreshOutcome, status: GraphStatus) => void;
}

export const versionOf = (supergraphSdl: string): string =>
  createHash('sha256').update(supergraphSdl).digest('hex').slice(0, 12);

/**
 * Keeps the served graph what its sources say: reads them now and then and when a file changes, and swaps a new engine
 * in once it is ready, with the operations in use planned. What cannot be read or composed leaves the running graph as
 * it is, and says why.
 */
export class LiveGraph {
  readonly #options: LiveGraphOptions;
  #status: GraphStatus = { loaded: false, version: '', since: undefined, failure: undefined, warnings: [] };
  #definition = '';
  #running: Promise<RefreshOutcome> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #endWatch: (() => void) | undefined;
  #stopped = false;

  constructor(options: LiveGraphOptions) {
    this.#options = options;
  }

  get status(): GraphStatus {
    return this.#status;
  }

  /** Loads the first graph. @throws RollcallError when it cannot be made; nothing is served then. */
  async load(): Promise<void> {
    const error = await this.#refresh();
    if (error instanceof Error) throw error;
  }

  /** Follows the sources from now on. */
  start(): void {
    this.#endWatch = this.#options.source.watch(() => void this.refresh());
    this.#wait();
  }

  /** Reads the sources, at once or after the reading under way. */
  async refresh(): Promise<RefreshOutcome> {
    if (this.#running !== undefined) this.#again = true;
    this.#running ??= this.#refreshAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Follows the sources no more; resolves when a reading under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#endWatch?.();
    await this.#running;
  }

  async #refreshAll(): Promise<RefreshOutcome> {
    let outcome: RefreshOutcome;
    do {
      this.#again = false;
      const result = await this.#refresh();
      outcome = result instanceof Error ? 'failed' : result;
    } while (this.#again && !this.#stopped);
    return outcome;
  }

  #wait(): void {
    const { pollMs } = this.#options;
    if (pollMs === 0 || this.#stopped) return;
    this.#timer = setTimeout(() => void this.refresh().then(() => this.#wait()), pollMs);
    this.#timer.unref();
  }

  async #refresh(): Promise<RefreshOutcome | RollcallError> {
    const { source, log } = this.#options;
    let definition: GraphDefinition | undefined;
    let result: RefreshOutcome | RollcallError;
    try {
      definition = await source.read();
      this.#warn(definition.warnings);
      result = await this.#serve(definition);
    } catch (thrown) {
      result = toRollcallError(thrown);
      // The same failure at every poll is told once.
      if (result.message !== this.#status.failure) {
        const more = result.code === 'INTERNAL' ? { err: thrown } : { reason: result.message };
        log.error({ code: result.code, ...more }, 'the new graph is not served');
      }
    }
    const failure = result instanceof Error ? result.message : undefined;
    const warnings = definition?.warnings ?? this.#status.warnings;
    this.#status = { ...this.#status, failure, warnings };
    this.#options.onOutcome?.(result instanceof Error ? 'failed' : result, this.#status);
    return result;
  }

  async #serve(definition: GraphDefinition): Promise<RefreshOutcome> {
    const { graph, build, log } = this.#options;
    const key = JSON.stringify([definition.supergraphSdl, definition.remotes]);
    if (this.#status.loaded && key === this.#definition) return 'unchanged';
    const engine = await build({ ...definition, serving: this.#status.loaded });
    if (this.#stopped) {
      await engine.close();
      return 'unchanged';
    }
    await warmUp(engine, graph.engine.recentOperations?.() ?? []);
    graph.swap(engine);
    this.#definition = key;
    const version = versionOf(engine.supergraphSdl);
    this.#status = { ...this.#status, loaded: true, version, since: new Date() };
    log.info({ version }, 'a new graph is served');
    return 'swapped';
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) {
      if (!this.#status.warnings.includes(warning)) this.#options.log.warn(warning);
    }
  }
}
