// @apollo/gateway on Apollo Server, as its documentation starts it. LOCAL=agents runs that subgraph in this process.
import { readFileSync } from 'node:fs';
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { agentsSchema } from './agents-schema.mjs';

const isLocal = (name) => process.env.LOCAL === 'agents' && name === 'agents';
const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(process.env.SUPERGRAPH, 'utf8'),
  buildService: ({ name, url }) =>
    isLocal(name) ? new LocalGraphQLDataSource(agentsSchema()) : new RemoteGraphQLDataSource({ url }),
  logger,
});
const server = new ApolloServer({
  gateway,
  logger,
  // The cache-control plugin would only slow it down; Rollcall does without it too.
  plugins: [
    ApolloServerPluginCacheControlDisabled(),
    ApolloServerPluginLandingPageDisabled(),
    ApolloServerPluginUsageReportingDisabled(),
  ],
});
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
process.stdout.write(`listening at ${url}\n`);
process.on('SIGTERM', () => process.exit(0));
