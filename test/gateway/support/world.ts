import type { GatewayContext } from '../../../src/gateway/engine.ts';
import type { Resolvers } from './executable.ts';

/** A record of the test world; `__typename` is its concrete type. */
export type Thing = Record<string, unknown> & { readonly __typename: string };

/** What mutations change: one per request, so that every execution starts from the same world. */
export interface WorldContext extends GatewayContext {
  readonly state: { readonly reviews: Map<string, Thing>; readonly names: Map<string, string>; log: string[] };
}

export const newContext = (): WorldContext => ({
  headers: {},
  principalKey: 'tester',
  state: {
    reviews: new Map(things.filter(is('Review')).map((r) => [r.id as string, { ...r }])),
    names: new Map(),
    log: [],
  },
});

const is = (typeName: string) => (thing: Thing) => thing.__typename === typeName;

const dimensions = (weight: number | null, height: number) => ({ __typename: 'Dimensions', weight, height });

export const things: readonly Thing[] = [
  {
    __typename: 'Book',
    id: 'b1',
    sku: 's1',
    title: 'Tides',
    cents: 1200,
    genre: 'FICTION',
    pages: 320,
    shelf: 'A1',
    creatorId: 'p1',
    sequelId: 'b2',
    size: dimensions(400, 20),
    stock: 3,
  },
  {
    __typename: 'Book',
    id: 'b2',
    sku: 's2',
    title: 'Stones',
    cents: 900,
    genre: 'FACT',
    pages: null,
    shelf: null,
    creatorId: 'st1',
    sequelId: null,
    size: dimensions(null, 18),
    stock: 0,
  },
  {
    __typename: 'Book',
    id: 'b3',
    sku: 's3',
    title: null,
    cents: null,
    genre: 'SECRET',
    pages: 80,
    shelf: 'B7',
    creatorId: null,
    sequelId: 'b1',
    size: null,
    stock: 7,
  },
  {
    __typename: 'Book',
    id: 'b4',
    sku: 's4',
    title: 'Lamps',
    cents: 'broken',
    genre: null,
    pages: 'broken',
    shelf: 'broken',
    creatorId: 'p1',
    sequelId: 'b3',
    size: dimensions(90, 11),
    stock: 'broken',
  },
  {
    __typename: 'Book',
    id: 'b5',
    sku: 's5',
    title: 'Orchards',
    cents: 300,
    genre: 'FACT',
    pages: 12,
    shelf: 'C2',
    creatorId: 'p3',
    sequelId: null,
    size: dimensions(50, 9),
    stock: 1,
  },
  {
    __typename: 'Book',
    id: 'b6',
    sku: 's6',
    title: 'Echoes',
    cents: 450,
    genre: 'FICTION',
    pages: 40,
    shelf: 'C3',
    creatorId: 'st2',
    sequelId: 'b5',
    size: dimensions(70, 10),
    stock: 4,
  },
  {
    __typename: 'Film',
    id: 'f1',
    title: 'Harbour',
    cents: 700,
    genre: 'FICTION',
    minutes: 91,
    creatorId: 'st1',
    stock: 2,
  },
  {
    __typename: 'Film',
    id: 'f2',
    title: 'Nightfall',
    cents: 650,
    genre: 'FACT',
    minutes: null,
    creatorId: 'p2',
    stock: 0,
  },
  {
    __typename: 'Kit',
    org: { __typename: 'Org', code: 'north' },
    number: 1,
    name: 'Starter',
    contentIds: ['b1', 'f1', 'b5'],
    available: 4,
  },
  {
    __typename: 'Kit',
    org: { __typename: 'Org', code: 'south' },
    number: 1,
    name: null,
    contentIds: ['b3', 'missing', 'b1'],
    available: 'broken',
  },
  {
    __typename: 'Person',
    id: 'p1',
    email: 'p1@example.test',
    name: 'Ines',
    friendIds: ['p2', 'p3', 'p2'],
    bossId: 'p2',
    city: 'Porto',
    zip: '4000',
  },
  {
    __typename: 'Person',
    id: 'p2',
    email: 'p2@example.test',
    name: null,
    friendIds: [],
    bossId: null,
    city: null,
    zip: '1000',
  },
  {
    __typename: 'Person',
    id: 'p3',
    email: 'p3@example.test',
    name: 'Jun',
    friendIds: ['p1'],
    bossId: 'p1',
    city: 'broken',
    zip: null,
  },
  { __typename: 'Studio', id: 'st1', label: 'Lighthouse', name: 'Lighthouse Ltd', founderId: 'p1' },
  { __typename: 'Studio', id: 'st2', label: null, name: 'Unlabelled', founderId: null },
  { __typename: 'Review', id: 'r1', stars: 5, body: 'good', authorId: 'p1', itemId: 'b1', strict: 'yes' },
  { __typename: 'Review', id: 'r2', stars: 2, body: null, authorId: 'p2', itemId: 'b1', strict: 'fair' },
  { __typename: 'Review', id: 'r3', stars: 4, body: 'broken', authorId: 'p3', itemId: 'f1', strict: 'fine' },
  { __typename: 'Review', id: 'r4', stars: 1, body: 'bad', authorId: null, itemId: 'b3', strict: 'ok' },
  { __typename: 'Review', id: 'r5', stars: 3, body: 'plain', authorId: 'p2', itemId: 'b2', strict: null },
  { __typename: 'Review', id: 'r6', stars: 3, body: 'none', authorId: 'p3', itemId: 'f2', strict: 'broken' },
];

export const find = (id: unknown): Thing | null => things.find((thing) => thing.id === id) ?? null;
export const findKit = (code: unknown, number: unknown): Thing | null =>
  things.find((t) => t.__typename === 'Kit' && (t.org as Thing).code === code && t.number === number) ?? null;

/** The value, or the error that the record asks for. */
function value(thing: Thing, name: string): unknown {
  const found = thing[name];
  if (found === 'broken')
    throw new Error(`${thing.__typename}.${name} of ${String(thing.id ?? thing.number)} is broken`);
  return found;
}
const later = <T>(found: T): Promise<T> => Promise.resolve(found);

export const shippingCost = (cents: number | null, weight: number | null, express: boolean): number | null =>
  cents === null || weight === null ? null : Math.round(cents / 10 + weight) * (express ? 2 : 1);
/** Out of fields that the schema types: a label that may not be null and is cannot be had. */
export function creatorLine(creator: Thing | null): string {
  if (creator === null) return 'by nobody';
  if (creator.__typename === 'Person') return `by ${creator.name}`;
  if (creator.label === null) throw new Error(`Studio.label of ${creator.id} is null`);
  return `from ${creator.label}`;
}
export const priceIn = (thing: Thing, currency: string): number | null => {
  const cents = value(thing, 'cents') as number | null;
  return cents === null ? null : currency === 'USD' ? cents + 11 : cents;
};

type Args = Record<string, unknown>;
type Fn = (thing: Thing, args: Args, context: WorldContext) => unknown;
const typed = (map: Record<string, Record<string, Fn>>): Resolvers => map as unknown as Resolvers;

function matches(thing: Thing, given: unknown): boolean {
  const filter = (given ?? {}) as { genre?: string | null; titleStart?: string | null };
  return (
    (filter.genre == null || thing.genre === filter.genre) &&
    (filter.titleStart == null || String(thing.title).startsWith(filter.titleStart))
  );
}

const isItem = (thing: Thing) => thing.__typename === 'Book' || thing.__typename === 'Film';
const reviewsOf = (context: WorldContext) => [...context.state.reviews.values()];

const item: Record<string, Fn> = {
  title: (thing) => value(thing, 'title'),
  price: (thing, { currency }) => priceIn(thing, (currency as string | null) ?? 'EUR'),
  creator: (thing) => later(find(thing.creatorId)),
  inStock: (thing) => (value(thing, 'stock') as number) > 0,
  reviews: (thing, { minStars }, context) =>
    later(
      reviewsOf(context).filter(
        (r) => r.itemId === thing.id && (r.stars as number) >= ((minStars as number | null) ?? 0),
      ),
    ),
  averageStars: (thing, _args, context) => {
    const stars = reviewsOf(context)
      .filter((r) => r.itemId === thing.id)
      .map((r) => r.stars as number);
    return stars.length === 0 ? null : stars.reduce((a, b) => a + b, 0) / stars.length;
  },
};

/** Every resolver of the world. The monolith uses all of them, each subgraph those of its own fields. */
export const resolvers: Resolvers = typed({
  Query: {
    items: (_, { filter, first }) =>
      things.filter((t) => isItem(t) && matches(t, filter)).slice(0, (first as number | null) ?? 99),
    item: (_, { id }) => later(things.find((t) => isItem(t) && t.id === id) ?? null),
    book: (_, { sku }) => things.find((t) => t.sku === sku) ?? null,
    books: () => later([...things.filter(is('Book')), null]),
    search: (_, { text }) =>
      things.filter((t) => isItem(t) || is('Kit')(t)).filter((t) => JSON.stringify(t).includes(text as string)),
    kits: () => things.filter(is('Kit')),
    lowStock: (_, { filter }) =>
      things.filter((t) => is('Book')(t) && typeof t.stock === 'number' && t.stock < 5 && matches(t, filter)),
    warehouse: () => ({ __typename: 'Warehouse', name: 'Main' }),
    topReviews: (_, { first }, context) => reviewsOf(context).slice(0, (first as number | null) ?? 99),
    review: (_, { id }, context) => later(context.state.reviews.get(id as string) ?? null),
    person: (_, { email }) => later(things.find((t) => t.email === email) ?? null),
    creators: () => things.filter((t) => is('Person')(t) || is('Studio')(t)),
    named: () => things.filter((t) => is('Person')(t) || is('Studio')(t)),
    failing: () => {
      throw new Error('Query.failing is broken');
    },
  },
  Mutation: {
    addReview: async (_, { itemId, input }, context) => {
      const { stars, body } = input as { stars: number; body: string | null };
      await later(null);
      const id = `n${context.state.log.push('addReview')}`;
      const review = { __typename: 'Review', id, stars, body, itemId, authorId: 'p1', strict: 'new' };
      context.state.reviews.set(id, review);
      return review;
    },
    removeReview: (_, { id }, context) => {
      context.state.log.push('removeReview');
      return context.state.reviews.delete(id as string);
    },
    rename: async (_, { id, name }, context) => {
      await later(null);
      context.state.log.push(`rename ${context.state.log.length}`);
      context.state.names.set(id as string, name as string);
      return things.find((t) => is('Person')(t) && t.id === id) ?? null;
    },
    failStrictly: (_, __, context) => {
      context.state.log.push('failStrictly');
      throw new Error('Mutation.failStrictly is broken');
    },
  },
  Book: {
    ...item,
    pages: (thing) => value(thing, 'pages'),
    shelf: (thing) => value(thing, 'shelf'),
    dimensions: (thing) => thing.size,
    sequel: (thing) => find(thing.sequelId),
    shippingCost: (thing, { express }) =>
      shippingCost(
        priceIn(thing, 'USD'),
        (thing.size as { weight: number | null } | null)?.weight ?? null,
        express as boolean,
      ),
    creatorLine: (thing) => creatorLine(find(thing.creatorId)),
  },
  Film: { ...item },
  Kit: {
    contents: (thing) => (thing.contentIds as string[]).map((id) => (id === 'missing' ? null : find(id))),
    available: (thing) => value(thing, 'available'),
  },
  Warehouse: {
    books: () => later(things.filter(is('Book'))),
    manager: () => {
      throw new Error('Warehouse.manager is broken');
    },
  },
  Review: {
    body: (thing) => value(thing, 'body'),
    strict: (thing) => value(thing, 'strict'),
    author: (thing) => find(thing.authorId),
    item: (thing) => find(thing.itemId),
  },
  Person: {
    name: (thing, _args, context) => later(context.state.names.get(thing.id as string) ?? thing.name),
    friends: (thing) => (thing.friendIds as string[]).map(find),
    boss: (thing) => find(thing.bossId),
    address: (thing) => ({ __typename: 'Address', city: thing.city, zip: thing.zip }),
    reviews: (thing, _args, context) => reviewsOf(context).filter((r) => r.authorId === thing.id),
  },
  Address: { city: (thing) => value(thing, 'city') },
  Studio: { founder: (thing) => later(find(thing.founderId)) },
});
