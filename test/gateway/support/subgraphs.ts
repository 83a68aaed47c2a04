import type { EntityReference, Subgraph } from '../../../src/gateway/subgraph-schema.ts';
import { executableSubgraph, type Resolvers } from './executable.ts';
import { creatorLine, find, findKit, resolvers, shippingCost, type Thing, type WorldContext } from './world.ts';

export const CATALOG = /* GraphQL */ `
  type Query {
    items(filter: ItemFilter, first: Int = 3): [Item!]!
    item(id: ID!): Item
    book(sku: String!): Book
    books: [Book]
    search(text: String!): [SearchResult]
    kits: [Kit!]
    failing: String
  }
  interface Item @key(fields: "id") { id: ID! title: String! price(currency: Currency = EUR): Int genre: Genre creator: Creator }
  type Book implements Item @key(fields: "id") @key(fields: "sku") {
    id: ID! sku: String! title: String! price(currency: Currency = EUR): Int genre: Genre
    pages: Int shelf: String dimensions: Dimensions creator: Creator sequel: Book
    secret: String @inaccessible
  }
  type Film implements Item @key(fields: "id") {
    id: ID! title: String! price(currency: Currency = EUR): Int genre: Genre minutes: Int! creator: Creator
  }
  type Kit @key(fields: "org { code } number") { org: Org! number: Int! name: String contents: [Item] }
  type Org @shareable { code: ID! }
  type Dimensions @shareable { weight: Int height: Int }
  union SearchResult = Book | Film | Kit
  union Creator = Person | Studio
  type Person @key(fields: "id", resolvable: false) { id: ID! }
  type Studio @key(fields: "id", resolvable: false) { id: ID! }
  enum Currency { EUR USD }
  enum Genre { FICTION FACT SECRET @inaccessible }
  input ItemFilter { genre: Genre titleStart: String onlyCatalog: Int }
`;

export const STOCK = /* GraphQL */ `
  type Query { lowStock(filter: ItemFilter): [Book!] warehouse: Warehouse }
  type Book @key(fields: "id") {
    id: ID!
    price(currency: Currency = EUR): Int @external
    dimensions: Dimensions @external
    creator: Creator @external
    shippingCost(express: Boolean = false): Int @requires(fields: "price(currency: USD) dimensions { weight }")
    creatorLine: String @requires(fields: "creator { ... on Person { name } ... on Studio { label } }")
    shelf: String @override(from: "catalog")
    inStock: Boolean!
  }
  type Film @key(fields: "id") { id: ID! inStock: Boolean! }
  type Kit @key(fields: "org { code } number") { org: Org! number: Int! available: Int! }
  type Org @shareable { code: ID! }
  type Dimensions @shareable { weight: Int height: Int }
  type Warehouse { name: String! books: [Book!]! manager: String! }
  union Creator = Person | Studio
  type Person @key(fields: "id") { id: ID! name: String @external }
  type Studio @key(fields: "id") { id: ID! label: String! @external }
  enum Currency { EUR USD }
  enum Genre { FICTION FACT SECRET @inaccessible }
  input ItemFilter { genre: Genre titleStart: String onlyStock: Boolean }
`;

export const REVIEWS = /* GraphQL */ `
  type Query { topReviews(first: Int = 2): [Review!] review(id: ID!): Review }
  type Mutation {
    addReview(itemId: ID!, input: ReviewInput!): Review
    removeReview(id: ID!): Boolean!
    failStrictly: Review!
  }
  type Item @key(fields: "id") @interfaceObject { id: ID! reviews(minStars: Int): [Review!]! averageStars: Float }
  type Review @key(fields: "id") {
    id: ID! stars: Int! body: String author: Person @provides(fields: "name") item: Item strict: String!
  }
  type Person @key(fields: "id") { id: ID! name: String @external reviews: [Review] }
  input ReviewInput { stars: Int! body: String = "none" }
`;

export const PEOPLE = /* GraphQL */ `
  type Query { person(email: String!): Person creators: [Creator] named: [Named] }
  type Mutation { rename(id: ID!, name: String!): Person }
  interface Named { name: String }
  type Person implements Named @key(fields: "id") @key(fields: "email") {
    id: ID! email: String! name: String @shareable friends: [Person!] boss: Person address: Address!
  }
  type Studio implements Named @key(fields: "id") { id: ID! label: String! name: String founder: Person }
  type Address @shareable { city: String! zip: String }
  union Creator = Person | Studio
`;

const byId = (reference: EntityReference) => Promise.resolve(find(reference.id));
const byKey = (reference: EntityReference) =>
  findKit((reference.org as { code: unknown } | undefined)?.code, reference.number);
/** Keeps what the gateway sent for `@requires`, so that the resolvers below can use nothing else. */
const withRequired = (reference: EntityReference) => {
  const found = find(reference.id);
  return found && { ...found, required: reference };
};

type Required = Thing & {
  required: { price: number | null; dimensions: { weight: number | null } | null; creator: Thing | null };
};
const stock = {
  ...resolvers,
  Book: {
    ...resolvers.Book,
    shippingCost: ({ required: r }: Required, { express }: { express: boolean }) =>
      shippingCost(r.price, r.dimensions?.weight ?? null, express),
    creatorLine: ({ required: r }: Required) => creatorLine(r.creator ?? null),
  },
} as unknown as Resolvers;

/** Four subgraphs of one world, and what each is called. */
export const worldSubgraphs = (): Record<'catalog' | 'stock' | 'reviews' | 'people', Subgraph> => ({
  catalog: executableSubgraph<WorldContext>(CATALOG, resolvers, {
    Item: byId,
    Film: byId,
    Kit: byKey,
    Book: (reference) =>
      reference.id === undefined
        ? resolvers.Query!.book!({} as never, { sku: reference.sku } as never, {} as never, {} as never)
        : byId(reference),
  }),
  stock: executableSubgraph<WorldContext>(STOCK, stock, { Book: withRequired, Film: byId, Kit: byKey }),
  reviews: executableSubgraph<WorldContext>(
    REVIEWS,
    { ...resolvers, Item: resolvers.Book! },
    {
      Item: byId,
      Person: byId,
      Review: (reference, context) => context.state.reviews.get(reference.id as string) ?? null,
    },
  ),
  people: executableSubgraph<WorldContext>(PEOPLE, resolvers, {
    Person: (reference) =>
      reference.id === undefined
        ? resolvers.Query!.person!({} as never, { email: reference.email } as never, {} as never, {} as never)
        : byId(reference),
    Studio: byId,
  }),
});
