import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { LOCAL_USER } from '../../../src/auth/principal.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { SOON } from '../../support/soon.ts';
import { bytesOf, type TestDeployment } from './deployment.ts';
import { admin } from './published.ts';
import { type Registered, servingDeployment } from './registered.ts';
import { createRequest } from './routed.ts';

/** The secret key of servers that outlive, or share, a database. */
export const SECRET_KEY = 'a secret key of the tests, long enough';
/** In every request of createRequest. */
export const INPUT = 'seven';

/** What tests ask of a task. */
export const TASK = `id state owner contextId createdAt finishedAt metadata agent { id flyteName }
  statusMessage { parts { text } } history { role parts { text data } } artifacts { artifactId parts { text data } }`;

/** A category of one test, its agent, a deployment, and what a graph caller sees of its tasks. */
export async function spark(server: Registered, cleanup: Cleanup) {
  const type = `spark-${randomUUID()}`;
  const a = await servingDeployment('a', cleanup);
  const agentId = await server.register(`Agent of ${type}`);
  const deploymentId = await server.deploy(agentId, a);
  // Last: a task that found the agent without its deployment would have failed, and be a task.
  await server.app.core.registry.setTaskCategories(LOCAL_USER, agentId, [{ name: type, version: 0 }]);
  const of = { taskCategory: { name: type, version: 0 } };
  const run = randomUUID();
  const given = (attempt = 0, name = run) => createRequest({ type, run: name, attempt });
  return {
    type,
    a,
    agentId,
    deploymentId,
    of,
    run,
    given,
    /** The bytes of a GetTaskLogsRequest. */
    logsRequest: ({ resourceMeta }: { resourceMeta?: Uint8Array | null }): Buffer =>
      bytesOf(admin.GetTaskLogsRequest.encode({ resourceMeta: resourceMeta ?? null, ...of }).finish()),
    /** The first task that is taken after a change: the routing table follows within a second. */
    async create(at: Registered = server, attempt = 0) {
      await vi.waitFor(async () => expect(await at.listed()).toContain(`Agent of ${type}`), SOON);
      const created = () => at.asyncService.createTask(given(attempt));
      const { resourceMeta } = await vi.waitFor(created, SOON);
      return { resourceMeta, ...of };
    },
    async tasks(at: Registered = server): Promise<any[]> {
      const text = `query($agentId: ID!) { tasks(filter: { agentId: $agentId }) { nodes { ${TASK} } } }`;
      return (await at.query(text, { agentId })).tasks.nodes;
    },
    /** The only task, once it is in that state. */
    async inState(state: string, at: Registered = server): Promise<any> {
      return vi.waitFor(async () => {
        const tasks = await this.tasks(at);
        expect(tasks.map((task) => task.state)).toEqual([state]);
        return tasks[0];
      }, SOON);
    },
  };
}

/** Lets a deployment answer GetTask with that. */
export function answers(a: TestDeployment, resource: object): void {
  a.getTask = (_call, callback) => callback(null, bytesOf(admin.GetTaskResponse.encode({ resource }).finish()));
}
