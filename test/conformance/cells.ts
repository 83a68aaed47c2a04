import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { AgentKind, RunningAgent } from './agents/agent.ts';
import { CHUNKS, DONE, QUESTION } from './agents/behaviour.ts';
import {
  type ArtifactSeen,
  type ClientKind,
  contextOf,
  type EventView,
  idOf,
  type MatrixClient,
  type Operation,
  stateOf,
  type TaskView,
} from './clients/client.ts';
import type { Hooks } from './hooks.ts';
import { EXTRAS, withoutNames } from './parts.ts';
import { checkDeliveries } from './push-cell.ts';

/** What a cell is tried with. */
export interface Pair {
  readonly client: MatrixClient;
  readonly clientKind: ClientKind;
  readonly agent: RunningAgent;
  readonly agentKind: AgentKind;
  readonly hooks: Hooks;
}

const WHOLE = CHUNKS.join('');
const newKey = (): string => randomUUID().slice(0, 8);
const newId = (): { messageId: string } => ({ messageId: randomUUID() });
const artifactsOf = (events: readonly EventView[]): ArtifactSeen[] => events.filter((it) => it.kind === 'artifact');

export async function rest(events: AsyncGenerator<EventView>): Promise<EventView[]> {
  const all: EventView[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** A paced task, streamed up to its first chunk: the agent waits until it is released. */
export async function begin({ client, agent }: Pick<Pair, 'client' | 'agent'>) {
  const key = newKey();
  const events = client.stream(`paced ${key}`, newId());
  const begun: EventView[] = [];
  do {
    const { value, done } = await events.next();
    if (done) throw new Error(`The stream ended before the first chunk: ${JSON.stringify(begun)}`);
    begun.push(value);
  } while (begun.at(-1)?.kind !== 'artifact');
  await agent.behaviour.reached(key);
  return { key, id: idOf(begun[0]!), begun, events };
}

function expectUserTexts({ history }: TaskView, ...texts: string[]): void {
  expect(history.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual(texts);
}

/** The flags of a stream: only the end is final. */
function expectFinals({ finals }: ClientKind, events: readonly EventView[]): void {
  const flags = events.flatMap((event) => (event.kind === 'status' ? [event.final === true] : []));
  expect(flags).toEqual(flags.map((_flag, i) => finals && i === flags.length - 1));
}

/** What each operation must do, whoever says it to whom. */
export const CELLS: { readonly [O in Operation]: (pair: Pair) => Promise<void> } = {
  async send({ client, clientKind, agent, agentKind }) {
    const key = newKey();
    const { messageId } = newId();
    const task = await client.send(`now ${key}`, { messageId, extras: EXTRAS });
    expect(task).toMatchObject({ state: 'completed', said: DONE, artifacts: [`echo: now ${key}`] });
    const names = clientKind.names && agentKind.names;
    expect(task.extras).toEqual(names ? EXTRAS : withoutNames(EXTRAS));
    expectUserTexts(task, `now ${key}`);
    expect(task.contextId).toBeTruthy();
    const turns = agent.behaviour.turnsOf(key);
    expect(turns).toHaveLength(1);
    expect(turns[0]?.extras).toEqual(names ? EXTRAS : withoutNames(EXTRAS));
    if (clientKind.messageIds && agentKind.messageIds) expect(turns[0]?.messageId).toBe(messageId);
    expect(task.id).not.toBe(turns[0]?.taskId);
    if (clientKind.choosesIds) {
      expect(task.id).toMatch(/^task-/);
      expect(task.contextId).toMatch(/^session-/);
    }
  },

  async stream(pair) {
    const { client, clientKind, agent } = pair;
    // The first chunk is here although the agent waits: nothing was held back.
    const { key, id, begun, events } = await begin(pair);
    expect(begun[0]?.kind).toBe(clientKind.begins);
    expect(['submitted', 'working']).toContain(stateOf(begun[0]!));
    agent.behaviour.release(key);
    const all = [...begun, ...(await rest(events))];
    expect(new Set(all.map(idOf))).toEqual(new Set([id]));
    if (!clientKind.choosesIds) expect(new Set(all.map(contextOf)).size).toBe(1);
    const states = all.flatMap((event) => stateOf(event) ?? []);
    expect(states.filter((state, i) => state !== states[i - 1])).toEqual(
      states[0] === 'submitted' ? ['submitted', 'working', 'completed'] : ['working', 'completed'],
    );
    const chunks = artifactsOf(all);
    expect(chunks.map(({ text }) => text)).toEqual(CHUNKS);
    expect(new Set(chunks.map(({ artifact }) => artifact)).size).toBe(1);
    if (clientKind.appends) expect(chunks.map(({ append }) => append)).toEqual([false, true, true]);
    expect(chunks.map(({ last }) => last)).toEqual([false, false, true]);
    expect(all.at(-1)).toMatchObject({ kind: 'status', state: 'completed', said: DONE });
    expectFinals(clientKind, all);
    expect(await client.get(id)).toMatchObject({ id, state: 'completed', artifacts: [WHOLE] });
  },

  async get(pair) {
    const { client, agent } = pair;
    const { key, id, events } = await begin(pair);
    const working = await client.get(id);
    expect(working).toMatchObject({ id, state: 'working', artifacts: [CHUNKS[0]] });
    expectUserTexts(working, `paced ${key}`);
    agent.behaviour.release(key);
    await rest(events);
    const { contextId } = working;
    expect(await client.get(id)).toMatchObject({ id, contextId, state: 'completed', said: DONE, artifacts: [WHOLE] });
  },

  async cancel(pair) {
    const { client, clientKind, agent } = pair;
    const { key, id, begun, events } = await begin(pair);
    expect(await client.cancel(id)).toMatchObject({ id, state: 'canceled', artifacts: [CHUNKS[0]] });
    const all = [...begun, ...(await rest(events))];
    expect(stateOf(all.at(-1)!)).toBe('canceled');
    expectFinals(clientKind, all);
    expect(await client.get(id)).toMatchObject({ id, state: 'canceled' });
    const [turn] = agent.behaviour.turnsOf(key);
    expect(agent.behaviour.canceled).toContain(turn?.taskId);
  },

  async resubscribe(pair) {
    const { client, clientKind, agent } = pair;
    const { key, id, events } = await begin(pair);
    const again = client.resubscribe(id);
    const first: EventView[] = [];
    do first.push((await again.next()).value as EventView);
    while (stateOf(first.at(-1)!) === undefined);
    const last = first.at(-1)!;
    if (clientKind.begins === 'task') {
      expect(first).toMatchObject([{ kind: 'task', task: { id, state: 'working', artifacts: [CHUNKS[0]] } }]);
    } else {
      expect(artifactsOf(first).map(({ text }) => text)).toEqual([CHUNKS[0]]);
      expect(last).toMatchObject({ kind: 'status', taskId: id, state: 'working', final: false });
    }
    agent.behaviour.release(key);
    const [mine, theirs] = await Promise.all([rest(events), rest(again)]);
    expect(theirs).toEqual(mine);
    expect(artifactsOf(theirs).map(({ text }) => text)).toEqual(CHUNKS.slice(1));
    expect(stateOf(theirs.at(-1)!)).toBe('completed');
    expectFinals(clientKind, theirs);
  },

  async 'multi-turn'({ client, clientKind, agent }) {
    const key = newKey();
    const asked = await client.send(`ask ${key}`, newId());
    expect(asked).toMatchObject({ state: 'input-required', said: QUESTION });
    const { id, contextId } = asked;
    const again = await client.send(`again ${key}`, { ...newId(), follows: asked });
    expect(again).toMatchObject({ id, contextId, state: 'input-required', said: QUESTION });
    const events = await rest(client.stream(`this ${key}`, { ...newId(), follows: again }));
    expect(new Set(events.map(idOf))).toEqual(new Set([id]));
    expect(artifactsOf(events).map(({ text }) => text)).toEqual([`heard: this ${key}`]);
    expect(events.at(-1)).toMatchObject({ kind: 'status', state: 'completed', said: DONE });
    expectFinals(clientKind, events);
    const task = await client.get(id);
    expect(task).toMatchObject({ id, contextId, state: 'completed', artifacts: [`heard: this ${key}`] });
    expectUserTexts(task, `ask ${key}`, `again ${key}`, `this ${key}`);
    const turns = agent.behaviour.turnsOf(key);
    expect(turns.map(({ continues }) => continues)).toEqual([false, true, true]);
    expect(new Set(turns.map((turn) => turn.taskId)).size).toBe(1);
    expect(new Set(turns.map((turn) => turn.contextId)).size).toBe(1);
  },

  async push(pair) {
    const { client, clientKind, agent, hooks } = pair;
    // Asked for about a task that runs, and as part of a send.
    const { key, id, events } = await begin(pair);
    const asked = hooks.add(clientKind.webhook);
    expect(await client.push(id, asked)).toBe(asked.url);
    agent.behaviour.release(key);
    await rest(events);
    await checkDeliveries(clientKind, asked, { id, artifact: WHOLE, chunks: CHUNKS.slice(1) });
    const inline = hooks.add(clientKind.webhook);
    const other = newKey();
    const task = await client.send(`now ${other}`, { ...newId(), hook: inline });
    const artifact = `echo: now ${other}`;
    await checkDeliveries(clientKind, inline, { id: task.id, artifact, chunks: [artifact] });
  },
};
