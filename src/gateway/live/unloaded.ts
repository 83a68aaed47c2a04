import { buildSchema } from 'graphql';
import { RollcallError } from '../../errors.ts';
import type { Engine } from '../engine.ts';

/** What a gateway has before its first graph: the doors refuse every operation meanwhile. */
export function unloadedEngine(): Engine {
  return {
    schema: buildSchema('type Query { notLoaded: Boolean }'),
    supergraphSdl: '',
    execute() {
      throw notLoaded();
    },
    async close() {},
  };
}

export const notLoaded = (): RollcallError =>
  new RollcallError('GRAPH_NOT_LOADED', 'The gateway has no graph yet; try again shortly. /health says why.');
