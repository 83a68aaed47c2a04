/**
 * The subgraph of another team: incidents with agents, their skills and tasks, reported and watched live. It keeps them
 * in memory. `npm run example:incidents` starts it by itself, `npm run example:federation` with the other one.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { serveSubgraph } from './subgraph.mjs';

const sdl = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])

type Query {
  """Newest last."""
  incidents(open: Boolean): [Incident!]
}

type Mutation {
  reportIncident(input: ReportIncidentInput!): Incident!
  """Null when there is none of this id."""
  resolveIncident(id: ID!): Incident
}

type Subscription {
  """Incidents as they are reported: of one agent, or of all."""
  incidentReported(agentId: ID): Incident!
}

input ReportIncidentInput {
  title: String!
  agentId: ID!
  taskId: ID
  skillId: ID
}

type Incident @key(fields: "id") {
  id: ID!
  title: String!
  open: Boolean!
  reportedAt: String!
  """Null for those who may not see it."""
  agent: Agent
  task: Task
}

type Agent @key(fields: "id") {
  id: ID!
  incidents(open: Boolean): [Incident!]
}

type Task @key(fields: "id") {
  id: ID!
  incidents: [Incident!]
}

type Skill @key(fields: "id") {
  id: ID!
  incidents: [Incident!]
}
`;

const incidents = [];
const reports = new EventEmitter().setMaxListeners(0);
const ofAgent = (id) => `agent ${id}`;

function report({ title, agentId, taskId, skillId }) {
  const incident = {
    id: randomUUID(),
    title,
    open: true,
    reportedAt: new Date().toISOString(),
    agent: { id: agentId },
    task: taskId ? { id: taskId } : null,
    skill: skillId ? { id: skillId } : null,
  };
  incidents.push(incident);
  reports.emit('all', incident);
  reports.emit(ofAgent(agentId), incident);
  return incident;
}

function resolve(id) {
  const incident = incidents.find((each) => each.id === id);
  if (incident) incident.open = false;
  return incident;
}

/** Not an async generator: one that waits for an event cannot be ended before it comes. */
function reported(agentId) {
  const events = on(reports, agentId ? ofAgent(agentId) : 'all');
  return {
    async next() {
      const { value, done } = await events.next();
      return done ? { value: undefined, done } : { value: { incidentReported: value[0] }, done };
    },
    return: () => events.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Those of an agent, a task or a skill. */
const incidentsOf =
  (what) =>
  ({ id }, { open }) =>
    incidents.filter((each) => each[what]?.id === id && (open ?? each.open) === each.open);

await serveSubgraph({
  name: 'incidents',
  portVariable: 'INCIDENTS_PORT',
  defaultPort: 4702,
  sdl,
  resolvers: {
    Query: { incidents: (_source, { open }) => incidents.filter((each) => (open ?? each.open) === each.open) },
    Mutation: {
      reportIncident: (_source, { input }) => report(input),
      resolveIncident: (_source, { id }) => resolve(id),
    },
    Subscription: { incidentReported: (_source, { agentId }) => reported(agentId) },
    Agent: { incidents: incidentsOf('agent') },
    Task: { incidents: incidentsOf('task') },
    Skill: { incidents: incidentsOf('skill') },
  },
  references: {
    Incident: ({ id }) => incidents.find((each) => each.id === id) ?? null,
    Agent: ({ id }) => ({ id }),
    Task: ({ id }) => ({ id }),
    Skill: ({ id }) => ({ id }),
  },
});
