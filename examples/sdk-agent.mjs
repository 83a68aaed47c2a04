/**
 * A third-party A2A agent, built with the A2A project's own SDK. It counts down from the number in a message, one second
 * a step, so that there is something to watch. Start it with `npm run example:agent`, then import it into Rollcall.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentCard, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express';
import express from 'express';

const STOPS_AFTER_MINUTES = 30;
const LONGEST = 60;
const port = Number(process.env.AGENT_PORT ?? 4700);
const rollcall = process.env.ROLLCALL_URL ?? 'http://127.0.0.1:4000/';

const textOf = (message) =>
  message.parts.map((part) => (part.content?.$case === 'text' ? part.content.value : '')).join(' ');

/** What the SDK calls: `execute` for each message, `cancelTask` when a task is to stop. */
const countdown = {
  cancelled: new Set(),

  async execute({ taskId, contextId, userMessage, task }, bus) {
    const status = (state, text) =>
      bus.publish(
        AgentEvent.statusUpdate(
          TaskStatusUpdateEvent.fromJSON({
            taskId,
            contextId,
            status: {
              state,
              timestamp: new Date().toISOString(),
              ...(text === undefined
                ? {}
                : { message: { messageId: randomUUID(), role: 'ROLE_AGENT', parts: [{ text }], taskId, contextId } }),
            },
          }),
        ),
      );
    const step = (number, from) =>
      bus.publish(
        AgentEvent.artifactUpdate(
          TaskArtifactUpdateEvent.fromJSON({
            taskId,
            contextId,
            artifact: { artifactId: 'countdown', name: 'countdown', parts: [{ text: String(number) }] },
            append: number < from,
            lastChunk: number === 1,
          }),
        ),
      );

    bus.publish(
      AgentEvent.task(
        task ??
          Task.fromJSON({
            id: taskId,
            contextId,
            status: { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() },
          }),
      ),
    );
    const from = Number(/\d+/.exec(textOf(userMessage))?.[0] ?? Number.NaN);
    if (!(from >= 1 && from <= LONGEST)) {
      status('TASK_STATE_INPUT_REQUIRED', `From which number, 1 to ${LONGEST}?`);
      bus.finished();
      return;
    }
    status('TASK_STATE_WORKING');
    for (let number = from; number >= 1 && !this.cancelled.has(taskId); number--) {
      step(number, from);
      await delay(1_000);
    }
    if (!this.cancelled.delete(taskId)) status('TASK_STATE_COMPLETED', 'Done.');
    bus.finished();
  },

  async cancelTask(taskId, bus) {
    this.cancelled.add(taskId);
    bus.publish(
      AgentEvent.statusUpdate(
        TaskStatusUpdateEvent.fromJSON({ taskId, contextId: '', status: { state: 'TASK_STATE_CANCELED' } }),
      ),
    );
  },
};

const app = express();
const server = createServer(app);
server.on('error', (error) => {
  console.error(error.code === 'EADDRINUSE' ? `Port ${port} is taken: set AGENT_PORT to another one.` : String(error));
  process.exit(1);
});
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

const card = AgentCard.fromJSON({
  name: 'Countdown',
  description: 'Counts down from the number in a message, one second a step.',
  version: '1.0.0',
  supportedInterfaces: [
    { url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: `${url}rpc`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
  ],
  capabilities: { streaming: true, pushNotifications: false },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [
    {
      id: 'countdown',
      name: 'Count down',
      description: 'Counts down to one.',
      tags: ['example', 'time'],
      examples: ['3', 'count down from 10'],
    },
  ],
});
const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), countdown);
app.use(express.json({ type: ['application/json', 'application/a2a+json'] }));
app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
app.use(
  '/rpc',
  jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat: { enabled: true } }),
);

const query = `mutation { importAgent(input: { url: "${url}" }) { id handle name } }`;
console.log(`The Countdown agent is at ${url} (card: ${url}.well-known/agent-card.json).
It stops by itself after ${STOPS_AFTER_MINUTES} minutes, or with Ctrl-C. To import it:

  curl -s ${rollcall}graphql -H 'content-type: application/json' -d '${JSON.stringify({ query })}'
`);

const stop = () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
};
setTimeout(stop, STOPS_AFTER_MINUTES * 60_000);
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
