import type { PlanNode } from '@graphql-hive/router-query-planner';

/** To the planner process. `load` comes first, once. */
export type PlannerRequest =
  | { readonly kind: 'load'; readonly supergraphSdl: string }
  | { readonly kind: 'plan'; readonly query: string; readonly operationName: string | undefined };

/** From the planner process: one answer per request, in the order of the requests. */
export type PlannerResponse =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'planned'; readonly node: PlanNode | null }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The native module has no build for this platform. */
  | { readonly kind: 'unavailable'; readonly reason: string };
