import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { knownHosts } from '../../../src/app/addresses.ts';
import { configuredGate } from '../../../src/app/gate.ts';
import { addGraphDoors } from '../../../src/app/graph.ts';
import { closeHttp, configuredHttp, openHttp } from '../../../src/app/http.ts';
import { createAuthenticator } from '../../../src/auth/authenticator.ts';
import { readConfig } from '../../../src/config.ts';
import type { LocalSubgraph } from '../../../src/gateway/assemble.ts';
import { gatewayContext } from '../../../src/gateway/host/context.ts';
import { createMetrics } from '../../../src/http/metrics.ts';
import { createLog } from '../../../src/log.ts';
import { pulsesSubgraph } from './pulses.ts';
import { agentsSubgraph } from './schemas.ts';
import { AGENTS } from './world.ts';

/**
 * Rollcall's gateway with everything a started one has: limits, metrics, masking, guards, its settings' defaults. LOCAL
 * names the subgraph that runs inside it, if any. Two more routes are the benchmark's.
 */
const LOCALS: Readonly<Record<string, () => LocalSubgraph['subgraph']>> = {
  agents: agentsSubgraph,
  pulses: pulsesSubgraph,
};

const config = readConfig({ LOG_LEVEL: 'warn', PORT: '0', GRAPH_POLL_SECONDS: '0', ...process.env });
const log = createLog(config.LOG_LEVEL);
const authenticator = createAuthenticator(config);
const metrics = createMetrics();
const http = configuredHttp(config, { log, metrics, authenticator });
const local = LOCALS[process.env['LOCAL'] ?? ''];
const doors = await addGraphDoors({
  config,
  http,
  gate: configuredGate(config, authenticator, metrics),
  metrics,
  log,
  contextOf: gatewayContext,
  local: local && { name: AGENTS, url: 'http://127.0.0.1/subgraph', subgraph: local() },
});
await doors.live.load();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use once everything else is collected, and what the process has. */
http.get('/bench/memory', async () => {
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
});
/** Reads the sources now, as a change of their file would have it do; and how long the server did nothing else at most. */
http.post('/bench/refresh', async () => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const from = performance.now();
  const outcome = await doors.live.refresh();
  const ms = performance.now() - from;
  delay.disable();
  return { outcome, ms, blockedMs: delay.max / 1e6 };
});

const url = await openHttp(http, config);
const closeSockets = doors.openSockets(knownHosts(config));
process.stdout.write(`listening at ${url}\n`);
process.on('SIGTERM', async () => {
  await closeSockets();
  await closeHttp(http);
  await doors.close();
  process.exit(0);
});
