import { randomUUID } from 'node:crypto';
import { data } from '../../support/app.ts';
import { tokenFor, USER_SCOPES } from '../../support/tokens.ts';
import { graph, graphAs, graphStep, makeTask, mutation, type Seen, type Step, type Tenant } from './tenants.ts';

/**
 * Steps about conversations, names that clients choose, and those who see everyone's tasks. Where the answer says
 * whether a predicate held, `ok` is that it gave something of the owner's away, or did something to it.
 */

const send = (tenant: Tenant, input: object, shown = 'task { id contextId }') =>
  graph(tenant, mutation('sendMessage', 'SendMessageInput', shown), { input });

/** The tenant, who may see everyone's tasks besides. */
const supervisor = ({ subject }: Tenant): Promise<string> => tokenFor(subject, [...USER_SCOPES, 'tasks:admin']);

const post = async (tenant: Tenant, path: string, body: object, token = tenant.token): Promise<string> => {
  const response = await fetch(`${tenant.ground.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return response.text();
};
const get = async ({ ground, token }: Tenant, path: string): Promise<string> => {
  const headers = { authorization: `Bearer ${token}`, 'a2a-version': '1.0' };
  return (await fetch(`${ground.url}${path}`, { headers })).text();
};

/** A call of the early era, in which the client names the task. */
const early = (tenant: Tenant, method: string, params: object): Promise<string> =>
  post(tenant, `a2a/${tenant.ground.shared}`, { jsonrpc: '2.0', id: 1, method, params });
const earlySend = (tenant: Tenant, id: string, sessionId?: string): Promise<string> =>
  early(tenant, 'tasks/send', {
    id,
    ...(sessionId === undefined ? {} : { sessionId }),
    message: { role: 'user', parts: [{ type: 'text', text: `ask: ${tenant.word}?` }] },
  });

/** A task of the early era, in a conversation of its own: the client's id of it, and ours. */
async function earlyTask(owner: Tenant): Promise<{ chosen: string; ours: string }> {
  const [chosen, contextId] = [`open-${randomUUID()}`, `open-${randomUUID()}`];
  await earlySend(owner, chosen, contextId);
  const query = `{ tasks(filter: { contextId: "${contextId}" }) { nodes { id } } }`;
  return { chosen, ours: (await data(owner.ground.url, query, {}, owner.token))['tasks'].nodes[0].id };
}

/** A conversation with one task. */
const conversation = async (owner: Tenant): Promise<string> => {
  const contextId = `${owner.word}-${randomUUID()}`;
  await send(owner, { agentId: owner.ground.shared, contextId, text: `ask: ${owner.word}?` });
  return contextId;
};

/** How many tasks of a conversation somebody counts. The conversation's name is the asker's own words. */
const counted = (name: string, count: (actor: Tenant, contextId: string) => Promise<[string, unknown]>): Step =>
  graphStep(`how many ${name}`, async (actor, owner): Promise<Seen> => {
    const contextId = await conversation(owner);
    const [raw, n] = await count(actor, contextId);
    return { raw: raw.replaceAll(contextId, ''), ok: n !== 0 };
  });

export const TASK_STEPS: readonly Step[] = [
  counted('tasks', async (actor, contextId) => {
    const seen = await graph(actor, `{ tasks(filter: { contextId: "${contextId}" }) { totalCount { value } } }`);
    return [seen.raw, seen.data['tasks'].totalCount.value];
  }),
  counted('tasks of an agent', async (actor, contextId) => {
    const tasks = `tasks(filter: { contextId: "${contextId}" }) { totalCount { value } }`;
    const seen = await graph(actor, `{ agent(id: "${actor.ground.shared}") { ${tasks} } }`);
    return [seen.raw, seen.data['agent'].tasks.totalCount.value];
  }),
  counted('tasks over A2A', async (actor, contextId) => {
    const raw = await get(actor, `a2a/${actor.ground.shared}/tasks?contextId=${encodeURIComponent(contextId)}`);
    return [raw, JSON.parse(raw).totalSize];
  }),
  graphStep('sendMessage into a task, as one who sees everyone’s', async (actor, owner) => {
    const taskId = await makeTask(owner, owner.ground.shared);
    owner.tasks = owner.tasks.filter((other) => other !== taskId);
    const input = { agentId: actor.ground.shared, taskId, text: `more of ${actor.word}` };
    return graphAs(await supervisor(actor), actor.ground, mutation('sendMessage', 'SendMessageInput', 'task { id }'), {
      input,
    });
  }),
  {
    name: 'early id of a task',
    async run(actor, owner) {
      const { chosen } = await earlyTask(owner);
      const raw = await early(actor, 'tasks/get', { id: chosen });
      return { raw, ok: raw.includes('"result"') };
    },
  },
  {
    name: 'early send under the same id',
    async run(actor, owner) {
      const { chosen, ours } = await earlyTask(owner);
      const raw = await earlySend(actor, chosen);
      const task = await graph(owner, `{ task(id: "${ours}") { history { role } } }`);
      // A message that went into the owner's task.
      const joined = task.data['task'].history.filter(({ role }: { role: string }) => role === 'USER').length > 1;
      const answered = raw.includes('"result"');
      // Refused, it would show that the name is taken.
      return { raw, ok: actor === owner ? answered : joined || !answered };
    },
  },
  {
    name: 'early id of a task, for one who sees everyone’s',
    async run(actor, owner) {
      const { chosen, ours } = await earlyTask(owner);
      const raw = await post(
        actor,
        `a2a/${actor.ground.shared}`,
        { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: ours } },
        await supervisor(actor),
      );
      return { raw: raw.replaceAll(owner.word, ''), ok: raw.includes(chosen) };
    },
  },
  graphStep('sendMessage with the same words while they are at work', async (actor, owner) => {
    const input = { agentId: owner.ground.shared, messageId: randomUUID(), text: 'slow: 60 the same', wait: false };
    const [first, second] = [await send(owner, input), await send(actor, input)];
    const ids = [first, second].map((seen) => seen.data?.['sendMessage']?.task.id);
    const cancel = mutation('cancelTask', 'CancelTaskInput', 'id');
    await graph(owner, cancel, { input: { id: ids[0] } });
    if (ids[1] !== undefined && ids[0] !== ids[1]) await graph(actor, cancel, { input: { id: ids[1] } });
    // Where there is none at all, the message went into the other one.
    return { raw: second.raw, ok: ids[0] === ids[1] || ids[1] === undefined };
  }),
  graphStep('sendMessage into a conversation', async (actor, owner) => {
    const { talker } = actor.ground;
    const [text, contextId] = [randomUUID(), `open-${randomUUID()}`];
    await send(owner, { agentId: talker.agentId, contextId, text: randomUUID() });
    const seen = await send(actor, { agentId: talker.agentId, contextId, text });
    return { raw: seen.raw, ok: talker.contextOf(text) !== undefined };
  }),
  {
    name: 'SubscribeToTask of a task that has ended',
    async run(actor, owner) {
      const sent = await send(owner, { agentId: owner.ground.shared, text: 'over' });
      const { id } = sent.data['sendMessage'].task;
      const raw = await get(actor, `a2a/${actor.ground.shared}/tasks/${id}:subscribe`);
      return { raw, ok: raw.includes('completed') };
    },
  },
  {
    name: 'SendMessage to an agent that requires an extension',
    async run(actor, owner) {
      const extension = `https://open.example/${randomUUID()}`;
      const input = {
        name: owner.word,
        executionType: 'ECHO',
        visibility: 'PRIVATE',
        extensions: [{ uri: extension, required: true }],
      };
      const made = await data(
        owner.ground.url,
        mutation('registerAgent', 'RegisterAgentInput', 'id'),
        { input },
        owner.token,
      );
      const { id } = made['registerAgent'];
      owner.agents.push(id);
      const message = { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text: 'hello' }] };
      const raw = await post(actor, `a2a/${id}`, { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } });
      return { raw, ok: raw.includes(extension) };
    },
  },
];
