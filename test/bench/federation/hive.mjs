// Hive Gateway with the same query planner as Rollcall's, in production settings. LOCAL=agents runs that subgraph in
// this process, through the library's own executor for schemas.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import { createDefaultExecutor } from '@graphql-mesh/transport-common';
import { agentsSchema } from './agents-schema.mjs';

const local = process.env.LOCAL === 'agents' ? createDefaultExecutor(agentsSchema()) : undefined;
const inProcess = {
  onSubgraphExecute({ subgraphName, setExecutor }) {
    if (subgraphName.toLowerCase() === 'agents') setExecutor(local);
  },
};
const gateway = createGatewayRuntime({
  supergraph: readFileSync(process.env.SUPERGRAPH, 'utf8'),
  unifiedGraphHandler,
  plugins: () => (local === undefined ? [] : [inProcess]),
  logging: 'error',
  landingPage: false,
  graphiql: false,
});

const server = createServer(gateway);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening at http://127.0.0.1:${server.address().port}/\n`);
});
process.on('SIGTERM', () => process.exit(0));
