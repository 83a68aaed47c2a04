/**
 * What an agent card may hold at most: lengths in UTF-16 code units, lists in items, the whole card in bytes. The
 * registry holds its own inputs to the same limits, so that every agent that can be registered can also be imported.
 */
export const CARD_LIMITS = {
  bytes: 4 * 1024 * 1024,
  depth: 64,
  name: 200,
  description: 10_000,
  version: 100,
  url: 2_048,
  interfaces: 50,
  mode: 200,
  modes: 100,
  skills: 500,
  skillId: 200,
  tag: 200,
  tags: 100,
  example: 10_000,
  examples: 100,
  extensions: 100,
  securitySchemes: 50,
  securityRequirements: 50,
  scope: 200,
  scopes: 100,
  signatures: 20,
  signature: 10_000,
  /** An extension's params or a signature's header, as JSON text. */
  opaque: 50_000,
  /** Problems reported of one card. */
  problems: 100,
} as const;
