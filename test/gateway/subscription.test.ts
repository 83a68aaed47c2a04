import { EventEmitter, once } from 'node:events';
import { type ExecutionResult, parse } from 'graphql';
import { afterEach, describe, expect, it, test } from 'vitest';
import { createEngine } from '../../src/gateway/create-engine.ts';
import type { Engine, ExecRequest, SubgraphExecutor } from '../../src/gateway/engine.ts';
import { localExecutor } from '../../src/gateway/local.ts';
import { EventQueue } from '../../src/gateway/remote/event-queue.ts';
import type { RemoteOptions } from '../../src/gateway/remote/options.ts';
import { remoteExecutor } from '../../src/gateway/remote/remote.ts';
import { shareStreams } from '../../src/gateway/remote/share-streams.ts';
import { createSubgraph } from '../../src/gateway/subgraph-schema.ts';
import { executable, executableSubgraph, type Resolvers } from './support/executable.ts';
import { compose } from './support/gateway.ts';
import { graphqlSseServer } from './support/graphql-sse-server.ts';
import { graphqlWsServer } from './support/graphql-ws-server.ts';

const FEED = /* GraphQL */ `
  type Query { feed: String }
  type Subscription { changed: Change broken: Change! refused: Change }
  type Change { number: Int! agent: Agent detail: String }
  type Agent @key(fields: "id") { id: ID! }
`;
const NAMES = /* GraphQL */ `
  type Query { names: String }
  type Agent @key(fields: "id") { id: ID! name: String! }
`;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

/** A feed of numbered changes; it only makes the next when it is asked, and tells how far it was read and when it ended. */
function changes(count = Number.POSITIVE_INFINITY) {
  const watch = new EventEmitter();
  const state = { made: 0, ended: false };
  let wake: (() => void) | undefined;
  const end = () => {
    state.ended = true;
    watch.emit('ended');
    wake?.();
    return Promise.resolve({ value: undefined, done: true as const });
  };
  const source = {
    next: async () => {
      if (state.made >= count) await new Promise<void>((resolve) => (wake = resolve));
      if (state.ended) return { value: undefined, done: true as const };
      const number = ++state.made;
      const agent = { id: number % 2 === 0 ? 'unknown' : 'known' };
      return {
        value: { changed: { number, agent, detail: number === 1 ? new Error('no detail') : 'd' }, broken: null },
        done: false as const,
      };
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  return { source, state, ended: () => (state.ended ? Promise.resolve() : once(watch, 'ended').then(() => {})) };
}

const feedResolvers: Resolvers = {};
function feedSchema(source: AsyncIterable<unknown>) {
  const schema = executable(FEED, feedResolvers);
  for (const field of Object.values(schema.getSubscriptionType()!.getFields())) field.subscribe = () => source;
  schema.getSubscriptionType()!.getFields().refused!.subscribe = () => {
    throw new Error('not for you');
  };
  return schema;
}
const names = executableSubgraph(
  NAMES,
  {},
  { Agent: ({ id }) => (id === 'known' ? { id, name: 'Known' } : { id, name: null }) },
);

async function engineOver(
  source: AsyncIterable<unknown>,
  executor?: (name: string) => SubgraphExecutor | undefined,
): Promise<Engine> {
  const feed = createSubgraph(feedSchema(source), { references: {} });
  const engine = await createEngine({
    supergraphSdl: compose({ feed, names }),
    executors: (name) => executor?.(name) ?? localExecutor(name === 'feed' ? feed.schema : names.schema),
  });
  open.push(engine);
  return engine;
}

const request = (source: string, more: Partial<ExecRequest> = {}): ExecRequest => ({
  document: parse(source),
  operationType: 'subscription',
  context: { headers: {}, principalKey: 'a' },
  ...more,
});
const CHANGED = 'subscription { changed { number detail agent { name } } }';

async function stream(engine: Engine, source = CHANGED, more: Partial<ExecRequest> = {}) {
  return (await engine.execute(request(source, more))) as AsyncIterableIterator<ExecutionResult>;
}
const seen = ({ data, errors }: ExecutionResult) => ({
  data,
  errors: errors?.map(({ message, path }) => [message, path]),
});

const FIRST = {
  data: { changed: { number: 1, detail: null, agent: { name: 'Known' } } },
  errors: [['no detail', ['changed', 'detail']]],
};
const SECOND = {
  data: { changed: { number: 2, detail: 'd', agent: null } },
  errors: [['Cannot return null for non-nullable field Agent.name.', ['changed', 'agent', 'name']]],
};
const THIRD = { data: { changed: { number: 3, detail: 'd', agent: { name: 'Known' } } }, errors: undefined };

describe('a subscription over two subgraphs', () => {
  it('has every event enriched, each with its own errors', async () => {
    const { source } = changes();
    const events = await stream(await engineOver(source));
    const read = [await events.next(), await events.next(), await events.next()];
    expect(read.map(({ value }) => seen(value))).toEqual([FIRST, SECOND, THIRD]);
  });

  it('takes an event only when the reader asks for it', async () => {
    const { source, state } = changes();
    const events = await stream(await engineOver(source));
    await events.next();
    await events.next();
    expect(state.made).toBe(2);
  });

  it('ends its source at once when the reader leaves, also while nothing happens', async () => {
    const { source, ended } = changes(0);
    const events = await stream(await engineOver(source));
    const waiting = events.next();
    await events.return?.();
    await ended();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('ends when the signal is aborted', async () => {
    const { source, ended } = changes(0);
    const controller = new AbortController();
    const events = await stream(await engineOver(source), CHANGED, { signal: controller.signal });
    const waiting = events.next();
    controller.abort();
    await ended();
    expect(await waiting).toEqual({ value: undefined, done: true });
  });

  it('answers errors instead of a stream when it cannot start', async () => {
    const engine = await engineOver(changes().source);
    expect((await engine.execute(request('subscription { refused { number } }'))) as ExecutionResult).toMatchObject({
      errors: [{ message: 'not for you' }],
    });
  });

  it('bubbles a null to the root of its event', async () => {
    const events = await stream(await engineOver(changes().source), 'subscription { broken { number } }');
    expect((await events.next()).value).toMatchObject({ data: null, errors: [{ path: ['broken'] }] });
  });
});

describe.each([
  ['graphql-ws', graphqlWsServer],
  ['server-sent events', graphqlSseServer],
] as const)('a subscription of a remote subgraph, over %s,', (_transport, serve) => {
  async function remoteFeed(count?: number, more: Partial<RemoteOptions> = {}) {
    const feed = changes(count);
    const server = await serve(feedSchema(feed.source));
    open.push(server);
    const executor = remoteExecutor({
      name: 'feed',
      url: 'http://127.0.0.1:1/graphql',
      subscriptionsUrl: server.url,
      forwardHeaders: ['authorization'],
      ...more,
    });
    const engine = await engineOver(feed.source, (name) => (name === 'feed' ? executor : undefined));
    return { ...feed, server, engine };
  }

  it('is enriched like a local one, with the headers that are allowed', async () => {
    const { engine, server } = await remoteFeed(3);
    const context = { headers: { authorization: 'Bearer t', cookie: 'c' }, principalKey: 'a' };
    const events = await stream(engine, CHANGED, { context });
    const read = [await events.next(), await events.next(), await events.next()];
    expect(read.map(({ value }) => seen(value))).toEqual([FIRST, SECOND, THIRD]);
    expect(server.upgrades[0]?.authorization).toBe('Bearer t');
    expect(server.upgrades[0]?.cookie).toBeUndefined();
    if ('params' in server) expect(server.params).toEqual([{ authorization: 'Bearer t' }]);
  });

  it('is ended on the other side when the reader leaves', async () => {
    const { engine, ended } = await remoteFeed(1);
    const events = await stream(engine);
    await events.next();
    const waiting = events.next();
    await events.return?.();
    await ended();
    expect((await waiting).done).toBe(true);
  });

  it('fails when the connection is lost, after what has arrived', async () => {
    const { engine, server } = await remoteFeed(1);
    const events = await stream(engine);
    expect(seen((await events.next()).value)).toEqual(FIRST);
    const waiting = events.next();
    server.drop();
    await expect(waiting).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
  });

  it('is ended with an error when the reader stays too far behind, not buffered without bound', async () => {
    const { engine, ended, state } = await remoteFeed(50, { maxQueuedEvents: 5 });
    const events = await stream(engine);
    await ended();
    let read = 0;
    await expect(async () => {
      for await (const event of events) read += event.data ? 1 : 0;
    }).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(read).toBe(5);
    expect(state.made).toBeLessThanOrEqual(50);
  });

  it('tells why the subgraph refuses it', async () => {
    const { engine } = await remoteFeed(1);
    const events = await stream(engine, 'subscription { refused { number } }');
    expect((await events.next()).value).toMatchObject({ data: null, errors: [{ message: 'not for you' }] });
    expect((await events.next()).done).toBe(true);
  });

  it('is one for equal subscriptions of one caller, each with events of its own', async () => {
    const { engine, server } = await remoteFeed(2);
    const readers = [await stream(engine), await stream(engine)];
    for (const expected of [FIRST, SECOND]) {
      const events = await Promise.all(readers.map((reader) => reader.next()));
      expect(events.map(({ value }) => seen(value))).toEqual([expected, expected]);
      expect(events[0]!.value.data).not.toBe(events[1]!.value.data);
    }
    expect(server.upgrades).toHaveLength(1);
  });

  it('goes on for the others when one reader leaves, and ends with the last', async () => {
    const { engine, state, ended } = await remoteFeed(1);
    const [first, second] = [await stream(engine), await stream(engine)];
    await Promise.all([first.next(), second.next()]);
    await first.return?.();
    expect(state.ended).toBe(false);
    await second.return?.();
    await ended();
  });

  it('is another one for another caller, other headers or another text', async () => {
    const { engine, server } = await remoteFeed(0);
    const as = (principalKey: string, authorization: string) => ({
      context: { headers: { authorization }, principalKey },
    });
    await stream(engine, CHANGED, as('a', 't'));
    await stream(engine, CHANGED, as('b', 't'));
    await stream(engine, CHANGED, as('a', 'u'));
    await stream(engine, 'subscription { changed { number } }', as('a', 't'));
    await expect.poll(() => server.upgrades).toHaveLength(4);
  });

  it('is another one once the first has brought an event: a late reader would miss what the stream begins with', async () => {
    const { engine, server } = await remoteFeed(1);
    await (await stream(engine)).next();
    await stream(engine);
    await expect.poll(() => server.upgrades).toHaveLength(2);
  });

  it('takes late readers where the operator says that its streams begin with what is new', async () => {
    const { engine, server, state, ended } = await remoteFeed(1, { shareRunningStreams: true });
    const early = await stream(engine);
    await early.next();
    const late = await stream(engine);
    await early.return?.();
    expect(state.ended).toBe(false);
    await late.return?.();
    await ended();
    expect(server.upgrades).toHaveLength(1);
  });
});

test('a shared stream ends for the slow reader alone', async () => {
  const upstream = new EventQueue(1, () => {});
  const share = shareStreams(() => upstream, { name: 'feed', url: 'http://feed.invalid/', maxQueuedEvents: 5 });
  const [slow, quick] = [share(request(CHANGED)), share(request(CHANGED))];
  for (let number = 1; number <= 10; number++) {
    upstream.push({ data: { number } });
    expect((await quick.next()).value).toEqual({ data: { number } });
  }
  for (let number = 1; number <= 5; number++) expect((await slow.next()).value).toEqual({ data: { number } });
  await expect(slow.next()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  upstream.push({ data: { number: 11 } });
  expect((await quick.next()).value).toEqual({ data: { number: 11 } });
});

describe('an event queue', () => {
  it('hands out what is queued before it tells of the end, once', async () => {
    let closed = 0;
    const queue = new EventQueue(2, () => void closed++);
    expect([queue.push({ data: { n: 1 } }), queue.push({ data: { n: 2 } }), queue.push({ data: { n: 3 } })]).toEqual([
      true,
      true,
      false,
    ]);
    queue.end({ error: new Error('lost') });
    expect(queue.push({ data: {} })).toBe(false);
    expect((await queue.next()).value).toEqual({ data: { n: 1 } });
    expect((await queue.next()).value).toEqual({ data: { n: 2 } });
    await expect(queue.next()).rejects.toThrow('lost');
    expect((await queue.next()).done).toBe(true);
    expect(closed).toBe(1);
  });
});
