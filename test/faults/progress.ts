/** Tells those who wait that something has happened. */
export class Progress {
  readonly #watchers = new Set<() => void>();

  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when the condition holds, looked at after each change; rejects when it throws. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!holds()) return;
          resolve();
        } catch (error) {
          reject(error as Error);
        }
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }
}
