import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Composition, SubgraphDefinition } from '../compose.ts';

// The same extension as this file's: sources run as they are, and compiled.
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/**
 * As `composeSupergraph`, in a thread of its own: many subgraphs take tenths of a second, in which this one would answer
 * nobody. Rejects where the thread ends without a result, for instance out of memory.
 */
export function composeInThread(subgraphs: readonly SubgraphDefinition[]): Promise<Composition> {
  return new Promise((resolve, reject) => {
    // No environment: it holds our secrets, and composing needs none of it.
    const thread = new Worker(THREAD, { workerData: subgraphs, env: {}, execArgv: [] });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The thread that composes ended without a result.')));
  });
}
