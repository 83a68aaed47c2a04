import type { Principal } from '../../auth/principal.ts';
import { isTerminal } from '../../protocol/a2a/model.ts';
import type { Job, JobReport, RecordedTasks } from '../../tasks/tasks.ts';
import type { Writes } from './writes.ts';

/** What is known of a job. */
interface Track {
  /** By what the newest answer counts as news. */
  told: string;
  /** The newest report that is not written yet. */
  wanted: JobReport | undefined;
  writing: boolean;
  /** The task; undefined when there is none. */
  job: Promise<Job | undefined> | undefined;
  /** Nothing more is written before that: the task has ended, or there is none. Epoch milliseconds. */
  quietUntil: number;
}

const MOST = 20_000;
/** After this long a job that had no task is looked for again: another replica may have been about to store it. Milliseconds. */
const LOOK_AGAIN_MS = 60_000;

/** Writes each job's news to its task, one after the other; of several that come meanwhile, the newest. */
export class Tracks {
  readonly #recorded: RecordedTasks;
  readonly #principal: Principal;
  readonly #writes: Writes;
  readonly #tracks = new Map<string, Track>();

  constructor(recorded: RecordedTasks, principal: Principal, writes: Writes) {
    this.#recorded = recorded;
    this.#principal = principal;
    this.#writes = writes;
  }

  /** The job's task is on its way to the database. */
  expect(ref: string, job: Promise<Job | undefined>): void {
    this.#track(ref).job = job;
  }

  /**
   * Tells of a job. Nothing is done for what was told before.
   *
   * @param news by what it differs from what was told before
   */
  tell(ref: string, news: string, report: () => JobReport | undefined): void {
    const track = this.#track(ref);
    if (track.told === news || Date.now() < track.quietUntil) return;
    track.told = news;
    track.wanted = report();
    if (!track.writing) void this.#write(ref, track);
  }

  async #write(ref: string, track: Track): Promise<void> {
    track.writing = true;
    while (track.wanted !== undefined) {
      track.job ??= this.#writes.begin(() => this.#recorded.byRef(this.#principal, ref)).result;
      const job = await track.job;
      if (job === undefined) {
        track.job = undefined;
        track.told = '';
        track.wanted = undefined;
        track.quietUntil = Date.now() + LOOK_AGAIN_MS;
        break;
      }
      const state = await this.#writes.begin(async () => {
        // What came while the database was away takes the place of what was to be written.
        const { wanted } = track;
        track.wanted = undefined;
        if (wanted === undefined) return undefined;
        try {
          return await this.#recorded.report(job, wanted);
        } catch (error) {
          track.wanted ??= wanted;
          throw error;
        }
      }).result;
      if (state === undefined) {
        // Given up: the next answer is news again.
        track.told = '';
        track.wanted = undefined;
      } else if (isTerminal(state)) {
        track.wanted = undefined;
        track.quietUntil = Number.POSITIVE_INFINITY;
      }
    }
    track.writing = false;
  }

  #track(ref: string): Track {
    const known = this.#tracks.get(ref);
    // A Map iterates in the order of insertion: the job that was heard of least recently goes first.
    if (known !== undefined) this.#tracks.delete(ref);
    const track = known ?? { told: '', wanted: undefined, writing: false, job: undefined, quietUntil: 0 };
    this.#tracks.set(ref, track);
    if (this.#tracks.size > MOST) this.#tracks.delete(this.#tracks.keys().next().value as string);
    return track;
  }
}
