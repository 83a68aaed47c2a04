/**
 * A client of the A2A project's own SDK uses an agent behind Rollcall: it sends, streams, answers a question, cancels and
 * lists. It is written for the bundled echo agent, whose answers depend on the first word of a message. Start it with
 * `npx node examples/a2a-client.mjs <base URL of the agent> [JSONRPC | HTTP+JSON | GRPC]`.
 */
import { randomUUID } from 'node:crypto';
import { ListTasksRequest, SendMessageRequest, taskStateToJSON } from '@a2a-js/sdk';
import {
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client';
import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc';

const [baseUrl, binding = 'JSONRPC'] = process.argv.slice(2);
if (baseUrl === undefined) {
  console.error('Name the base URL of the agent: http://127.0.0.1:4000/a2a/<agent id>/');
  process.exit(2);
}

// With AUTH_MODE=jwt every request carries the token: over HTTP by way of fetch, over gRPC as metadata.
const token = process.env.ROLLCALL_TOKEN;
const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
const fetchImpl = (input, init) => {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(authorization)) headers.set(name, value);
  return fetch(input, { ...init, headers });
};
const options = binding === 'GRPC' ? { serviceParameters: authorization } : undefined;

const factory = new ClientFactory({
  ...ClientFactoryOptions.default,
  transports: [
    new JsonRpcTransportFactory({ fetchImpl }),
    new RestTransportFactory({ fetchImpl }),
    new GrpcTransportFactory(),
  ],
  preferredTransports: [binding],
  cardResolver: new DefaultAgentCardResolver({ fetchImpl }),
});
const client = await factory.createFromUrl(baseUrl);

/** Each message gets an id of its own: one that is repeated joins the work of the first. */
const message = (text, more = {}, configuration = {}) =>
  SendMessageRequest.fromJSON({
    message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more },
    configuration,
  });
const textOf = (parts = []) => parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join(' ');
const stateOf = ({ status }) => taskStateToJSON(status.state);

// Send, and wait until the task ends.
const done = await client.sendMessage(message('hello'), options);
console.log('sent:', stateOf(done), textOf(done.artifacts[0].parts));

// Stream: first the task, then what happens to it.
for await (const { payload } of client.sendMessageStream(message('stream: one two three'), options)) {
  if (payload.$case === 'task') console.log('streamed: task', stateOf(payload.value));
  if (payload.$case === 'artifactUpdate') console.log('streamed: chunk', textOf(payload.value.artifact.parts));
  if (payload.$case === 'statusUpdate') console.log('streamed: status', stateOf(payload.value));
}

// Get it again. historyLength 0 leaves the messages out.
const again = await client.getTask({ tenant: '', id: done.id, historyLength: 0 }, options);
console.log('got:', stateOf(again), again.history.length, 'messages');

// Several turns: the agent asks, and the answer names the task and its context.
const asked = await client.sendMessage(message('ask: which one?'), options);
console.log('asked:', stateOf(asked), textOf(asked.status.message.parts));
const answer = message('the second', { taskId: asked.id, contextId: asked.contextId });
const answered = await client.sendMessage(answer, options);
console.log('answered:', stateOf(answered), answered.id === asked.id ? 'in the same task' : '');

// Return at once, and cancel.
const slow = await client.sendMessage(message('slow: 60', {}, { returnImmediately: true }), options);
const cancelled = await client.cancelTask({ tenant: '', id: slow.id, metadata: undefined }, options);
console.log('cancelled:', stateOf(slow), '->', stateOf(cancelled));

// List the tasks of a conversation.
const { tasks } = await client.listTasks(ListTasksRequest.fromJSON({ contextId: asked.contextId }), options);
console.log('listed:', tasks.map(stateOf).join(' '));
