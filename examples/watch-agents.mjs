/**
 * Watches the registry by graphql-ws: prints every change of an agent until it is stopped. Start it with
 * `npx node examples/watch-agents.mjs`.
 */
import { createClient } from 'graphql-ws';

const url = process.env.ROLLCALL_URL ?? 'http://127.0.0.1:4000/';
const token = process.env.ROLLCALL_TOKEN;

const client = createClient({
  url: `${url.replace(/^http/, 'ws')}graphql`,
  // With AUTH_MODE=jwt the token goes here, as a browser cannot set headers of a WebSocket.
  ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
});

const query = 'subscription { agentsChanged { action handle revision agent { name status } } }';
console.log(`Watching ${url} … (Ctrl-C stops)`);
for await (const { data, errors } of client.iterate({ query })) {
  console.log(JSON.stringify(errors ?? data.agentsChanged));
}
