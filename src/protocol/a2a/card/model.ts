import type { SecurityRequirement, SecurityScheme } from './security.ts';

/** The wire form that a card's authors wrote it in; `early` is the time of `tasks/send` (0.1 and before). */
export const CARD_ERAS = ['early', '0.2', '0.3', '1.0'] as const;
export type CardEra = (typeof CARD_ERAS)[number];

/** How an interface is spoken to. 0.2 agents speak the 0.3 dialect. */
export type CardDialect = 'early' | '0.3' | '1.0';

/** The transport of an interface: one of the three that A2A names, else the URI of another (1.0 spec §5.8). */
export type CardBinding = 'JSONRPC' | 'HTTP+JSON' | 'GRPC' | (string & {});

export interface CardInterface {
  /** Absolute http(s) URL; `host:port` where the binding is GRPC. */
  readonly url: string;
  readonly binding: CardBinding;
  /** As declared: `1.0`, `0.3.0`, … */
  readonly protocolVersion: string;
  readonly dialect: CardDialect;
  /** To be echoed in every request through this interface. */
  readonly tenant?: string;
}

export interface CardProvider {
  readonly organization: string;
  readonly url?: string;
}

export interface CardExtension {
  readonly uri: string;
  readonly description?: string;
  /** Callers that do not announce this extension are refused. */
  readonly required: boolean;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface CardCapabilities {
  readonly streaming: boolean;
  readonly pushNotifications: boolean;
  /** Declared before 1.0 only. */
  readonly stateTransitionHistory: boolean;
  readonly extendedAgentCard: boolean;
  readonly extensions: readonly CardExtension[];
}

export interface CardSkill {
  /** Unique in its card. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
  /** Media types; empty: those of the card. */
  readonly inputModes: readonly string[];
  /** Media types; empty: those of the card. */
  readonly outputModes: readonly string[];
  /** Present only where the skill asks for more than the card does. */
  readonly securityRequirements?: readonly SecurityRequirement[];
}

/** A JSON Web Signature over the card (1.0 spec §8.4). */
export interface CardSignature {
  readonly protected: string;
  readonly signature: string;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** An agent card of any era in the one form that the rest of Rollcall knows, which follows 1.0. */
export interface CardModel {
  readonly name: string;
  readonly description: string;
  /** The agent's own version. */
  readonly version: string;
  readonly provider?: CardProvider;
  readonly documentationUrl?: string;
  readonly iconUrl?: string;
  /** In order of preference; at least one. */
  readonly interfaces: readonly CardInterface[];
  readonly capabilities: CardCapabilities;
  /** Media types, normalised by modes.ts. */
  readonly inputModes: readonly string[];
  readonly outputModes: readonly string[];
  readonly skills: readonly CardSkill[];
  readonly securitySchemes: Readonly<Record<string, SecurityScheme>>;
  /** Alternatives: satisfying one is enough; an empty list asks for nothing. */
  readonly securityRequirements: readonly SecurityRequirement[];
  readonly signatures: readonly CardSignature[];
}
