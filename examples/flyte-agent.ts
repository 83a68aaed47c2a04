/**
 * Two Flyte agents written in TypeScript and served by Rollcall itself: no deployment, no image. Start with
 * `FLYTE_AGENTS=examples/flyte-agent.ts npm start`; they are then listed to Flyte and in the graph like any other.
 *
 * Everything that is needed comes with the kit, so that this file may lie anywhere; what it imports are types, which
 * Node leaves out. A JavaScript module (.mjs) does as well.
 */
import type { AgentResource, AgentTask } from '../src/flyte/agents/agent.ts';
import type { AgentKit } from '../src/flyte/agents/kit.ts';

/** By this a job is found again. It travels to Flyte and back, so that nothing has to be kept here, not over a restart either. */
type TimerJob = { readonly startedAt: number; readonly seconds: number };

const MOST_SECONDS = 86_400;

export default function agents({ AsyncAgent, SyncAgent, Phase, fromLiterals, toLiterals, invalid }: AgentKit) {
  /** A task whose work is a job: created, asked for until it has ended, and deleted when the workflow is aborted. */
  class TimerAgent extends AsyncAgent<TimerJob> {
    readonly name = 'Timer Agent';
    override readonly description = 'Waits as many seconds as its task says.';
    readonly category = { name: 'timer', version: 0 };

    async create({ inputs }: AgentTask): Promise<TimerJob> {
      const seconds = Number(fromLiterals(inputs)['seconds'] ?? 1);
      if (!(seconds >= 0 && seconds <= MOST_SECONDS)) throw invalid('seconds', `must be from 0 to ${MOST_SECONDS}`);
      return { startedAt: Date.now(), seconds };
    }

    async get({ startedAt, seconds }: TimerJob): Promise<AgentResource> {
      const passed = (Date.now() - startedAt) / 1_000;
      if (passed < seconds) return { phase: Phase.RUNNING, message: `${Math.ceil(seconds - passed)} seconds to go` };
      return { phase: Phase.SUCCEEDED, message: 'over', outputs: toLiterals({ waited: seconds }) };
    }

    /** Called on abort, and again when the answer was lost: there is nothing to stop here, and nothing to fail. */
    async delete(): Promise<void> {}

    /** What comes back from Flyte is checked like any other input. */
    parseMeta(value: unknown): TimerJob {
      const { startedAt, seconds } = (value ?? {}) as Partial<TimerJob>;
      if (typeof startedAt !== 'number' || typeof seconds !== 'number')
        throw invalid('resource_meta', 'is not one of the Timer Agent');
      return { startedAt, seconds };
    }

    override async getLogs({ startedAt, seconds }: TimerJob) {
      return { lines: [`started ${new Date(startedAt).toISOString()}, for ${seconds} seconds`], token: '' };
    }
  }

  /** A task that is done within one call. */
  class WordCountAgent extends SyncAgent {
    readonly name = 'Word Count Agent';
    override readonly description = 'Counts the words of a text.';
    readonly category = { name: 'word_count', version: 0 };

    async do({ inputs }: AgentTask): Promise<AgentResource> {
      const { text } = fromLiterals(inputs);
      if (typeof text !== 'string') throw invalid('text', 'must be a string');
      // Whole numbers of Flyte are bigints here, other numbers are floats.
      const words = BigInt(text.split(/\s+/).filter(Boolean).length);
      return { phase: Phase.SUCCEEDED, outputs: toLiterals({ words }) };
    }
  }

  return [new TimerAgent(), new WordCountAgent()];
}
