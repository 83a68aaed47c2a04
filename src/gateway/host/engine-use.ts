import { type Engine, type ExecRequest, type ExecResult, isAsyncIterable, type MaybePromise } from '../engine.ts';
import { whenEnded } from '../event-stream.ts';
import { isPromise } from '../maybe-promise.ts';

/** An engine, and how many operations run on it: one that was replaced is closed after the last of them. */
export class EngineUse {
  readonly engine: Engine;
  #starting = 0;
  #streams = 0;
  #replaced: (() => void) | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  execute(request: ExecRequest): MaybePromise<ExecResult> {
    this.#starting++;
    let result: MaybePromise<ExecResult>;
    try {
      result = this.engine.execute(request);
    } catch (thrown) {
      this.#ended();
      throw thrown;
    }
    if (!isPromise(result)) return this.#begun(result);
    return result.then(
      (ready) => this.#begun(ready),
      (thrown: unknown) => {
        this.#ended();
        throw thrown;
      },
    );
  }

  /** Says that no further operation comes; resolves once the engine is closed. */
  replace(): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.#replaced = resolve;
    });
    this.#check();
    return over.then(() => this.engine.close());
  }

  #begun(result: ExecResult): ExecResult {
    const stream = isAsyncIterable(result);
    if (stream) this.#streams++;
    this.#ended();
    if (!stream) return result;
    return whenEnded(result, () => {
      this.#streams--;
      this.#check();
    });
  }

  #ended(): void {
    this.#starting--;
    this.#check();
  }

  #check(): void {
    if (this.#replaced === undefined || this.#starting > 0) return;
    if (this.#streams === 0) this.#replaced();
    else this.engine.retire?.();
  }
}
