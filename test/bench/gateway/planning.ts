import { parse, validate } from 'graphql';
import { createEngine } from '../../../src/gateway/create-engine.ts';
import type { Engine } from '../../../src/gateway/engine.ts';
import { remoteExecutor } from '../../../src/gateway/remote/remote.ts';
import { type Spread, spreadOf } from '../bursts.ts';
import { takeJobs } from '../jobs.ts';
import { composed } from './compose.ts';
import { operationOf, TEAMS, teamDefinitions } from './teams.ts';

/** Times in milliseconds, over the rounds. */
export interface PlanningFigures {
  readonly supergraphBytes: number;
  readonly compose: Spread;
  /** Schema, planner process and all, until the first operation can be asked. */
  readonly engine: Spread;
  /** Parsing and validating an operation that was not seen before. */
  readonly validate: Spread;
  /** Planning and compiling it. */
  readonly plan: Spread;
}

async function plan({ rounds }: { readonly rounds: number }): Promise<PlanningFigures> {
  const times = { compose: [] as number[], engine: [] as number[], validate: [] as number[], plan: [] as number[] };
  const timed = async <T>(what: keyof typeof times, work: () => T | Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    times[what].push(performance.now() - from);
    return result;
  };
  let supergraphBytes = 0;
  // The first round is for the compiler of the code itself.
  for (let round = -1; round < rounds; round++) {
    if (round === 0) for (const list of Object.values(times)) list.length = 0;
    const definitions = teamDefinitions('http://127.0.0.1:1/', round + 1);
    const supergraphSdl = await timed('compose', () => composed(definitions));
    supergraphBytes = Buffer.byteLength(supergraphSdl);
    const executors = (name: string, url: string) => remoteExecutor({ name, url });
    const engine: Engine = await timed('engine', () => createEngine({ supergraphSdl, executors }));
    for (let n = 0; n < TEAMS; n++) {
      const text = operationOf(n);
      const document = await timed('validate', () => {
        const parsed = parse(text);
        const [error] = validate(engine.schema, parsed);
        if (error !== undefined) throw error;
        return parsed;
      });
      await timed('plan', () => engine.prepare!(document, undefined));
    }
    await engine.close();
  }
  return {
    supergraphBytes,
    compose: spreadOf(times.compose),
    engine: spreadOf(times.engine),
    validate: spreadOf(times.validate),
    plan: spreadOf(times.plan),
  };
}

const jobs = { plan };
export type PlanningJobs = typeof jobs;
takeJobs(jobs);
