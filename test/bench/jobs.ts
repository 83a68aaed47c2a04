/** What a process that asks can be told to do, by name. */
export type JobTable = Readonly<Record<string, (job: any) => Promise<unknown>>>;

/**
 * Takes jobs by IPC, one at a time. Whoever asks is a process of its own, so that asking does not take processor time
 * from the one that answers.
 */
export function takeJobs(table: JobTable): void {
  process.on('message', ({ kind, job }: { kind: string; job: unknown }) => {
    table[kind]!(job).then(
      (result) => process.send!({ result }),
      (error: unknown) => process.send!({ error: error instanceof Error ? error.stack : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
