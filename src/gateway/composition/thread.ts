import { parentPort, workerData } from 'node:worker_threads';
import { composeSupergraph, type SubgraphDefinition } from '../compose.ts';

// The whole of a thread that composes: see in-thread.ts.
parentPort?.postMessage(composeSupergraph(workerData as readonly SubgraphDefinition[]));
