import { Directive, Field, Int, ObjectType } from 'type-graphql';
import type { Page } from '../../registry/lists/cursor.ts';

@Directive('@shareable')
@ObjectType({ simpleResolvers: true, description: 'Where a page stands in its list (Relay Cursor Connections).' })
export class PageInfo {
  @Field(() => Boolean, { description: 'More follow.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'The page was asked for with `after`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item: the `after` of the next page.' })
  endCursor!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A number of things, counted up to 10,000.' })
export class Count {
  @Field(() => Int, { description: 'The number, or 10,000 when there are more.' })
  value!: number;

  @Field(() => Boolean, { description: 'False when `value` is a lower bound.' })
  exact!: boolean;

  @Field(() => String, { description: 'As a person reads it: "1,234", or "10,000+".' })
  display!: string;
}

/** The graph's form of a count. */
export const toCount = ({ value, exact }: { value: number; exact: boolean }): Count => ({
  value,
  exact,
  display: `${value.toLocaleString('en')}${exact ? '' : '+'}`,
});

/** A list of the graph: edges with cursors, the same items as `nodes`, and where the page stands. */
export interface ConnectionOf<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly nodes: readonly T[];
  readonly pageInfo: PageInfo;
}

/** Declares the connection and edge types of a node type. */
export function connectionType<T extends object>(name: string, node: () => new () => T) {
  @ObjectType(`${name}Edge`, { simpleResolvers: true })
  class Edge {
    @Field(() => String, { description: 'An opaque position in the list.' })
    cursor!: string;

    @Field(node)
    node!: T;
  }

  @ObjectType(`${name}Connection`, {
    simpleResolvers: true,
    description: `A page of a list of ${name} (Relay Cursor Connections).`,
  })
  class Connection {
    @Field(() => [Edge])
    edges!: Edge[];

    @Field(() => [node()], { description: 'The items of `edges`.' })
    nodes!: T[];

    @Field(() => PageInfo)
    pageInfo!: PageInfo;
  }
  return Connection;
}

/** A page of the core as a connection. */
export function toConnection<T>(page: Page<T>, after: string | null | undefined): ConnectionOf<T> {
  const edges = page.items.map(({ item, cursor }) => ({ cursor, node: item }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
