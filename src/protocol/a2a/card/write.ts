import { createHash } from 'node:crypto';
import type { CardCapabilities, CardExtension, CardModel, CardSkill } from './model.ts';
import { withEarlyWords } from './modes.ts';

/**
 * The forms in which a derived card is served:
 * - `v1`: 1.0 alone, without any member that ProtoJSON leaves out, so JCS of it is what a signature covers;
 * - `hybrid`: read by 0.3 and 1.0 clients (`agent-card.json` without `A2A-Version`);
 * - `legacy`: read by early, 0.2, 0.3 and 1.0 clients (`agent.json`).
 */
export const CARD_FORMS = ['v1', 'hybrid', 'legacy'] as const;
export type CardForm = (typeof CARD_FORMS)[number];

/** Where callers reach the agent through Rollcall. */
export interface CardEndpoints {
  /** JSON-RPC endpoint and base of the HTTP+JSON binding; absolute, ends in `/`. */
  readonly rpcUrl: string;
  /** `host:port`; without it no gRPC interface is listed. */
  readonly grpcUrl?: string;
  /** The agent's id, by which gRPC calls, having no path, name the agent. */
  readonly tenant: string;
}

/**
 * What a derived card is made from. Endpoints and security are Rollcall's own, so an upstream's never go out; streaming
 * is always declared, because the gateway delivers it whatever the agent can.
 */
export interface DerivedCardInput
  extends Pick<
    CardModel,
    'name' | 'description' | 'version' | 'provider' | 'documentationUrl' | 'iconUrl' | 'inputModes' | 'outputModes'
  > {
  readonly capabilities: Pick<CardCapabilities, 'extendedAgentCard' | 'extensions' | 'stateTransitionHistory'>;
  readonly skills: readonly Omit<CardSkill, 'securityRequirements'>[];
  readonly endpoints: CardEndpoints;
  /** Whether the gateway delivers push notifications. */
  readonly pushNotifications: boolean;
  /** What callers of Rollcall present: nothing, or a JWT as bearer token. */
  readonly gatewayAuth: 'none' | 'bearer';
  /** Puts {@link DEPRECATED_NOTICE} before the description: the one place that clients of every era show to people. */
  readonly deprecated: boolean;
}

export const DEPRECATED_NOTICE = '[deprecated] ';

/** The name of Rollcall's own scheme in securitySchemes. */
const BEARER = 'bearer';
const BEARER_SCHEME = { scheme: 'Bearer', bearerFormat: 'JWT' };

interface DeclaredInterface {
  readonly url: string;
  readonly protocolBinding: string;
  readonly protocolVersion: string;
  readonly tenant?: string;
}

function interfacesOf({ rpcUrl, grpcUrl, tenant }: CardEndpoints): DeclaredInterface[] {
  // Paths of the HTTP+JSON binding are appended (`{url}/message:send`, 0.3: `{url}/v1/message:send`): a slash at the end
  // would become two with clients that do not strip it.
  const restUrl = rpcUrl.replace(/\/+$/, '');
  return [
    { url: rpcUrl, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: rpcUrl, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    { url: restUrl, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    { url: restUrl, protocolBinding: 'HTTP+JSON', protocolVersion: '0.3' },
    ...(grpcUrl === undefined ? [] : [{ url: grpcUrl, protocolBinding: 'GRPC', protocolVersion: '1.0', tenant }]),
  ];
}

const some = <T>(name: string, list: readonly T[]): Readonly<Record<string, readonly T[]>> =>
  list.length === 0 ? {} : { [name]: list };

const writeExtension = ({ uri, description, required, params }: CardExtension): object => ({
  uri,
  ...(description === undefined || description === '' ? {} : { description }),
  ...(required ? { required } : {}),
  ...(params === undefined ? {} : { params }),
});

const writeSkill = (
  skill: DerivedCardInput['skills'][number],
  modes: (list: readonly string[]) => readonly string[],
) => ({
  id: skill.id,
  name: skill.name,
  description: skill.description,
  tags: skill.tags,
  ...some('examples', skill.examples),
  ...some('inputModes', modes(skill.inputModes)),
  ...some('outputModes', modes(skill.outputModes)),
});

/** The members that 1.0 and the older versions share, in the shape that all of them accept. */
function common(input: DerivedCardInput, modes: (list: readonly string[]) => readonly string[]) {
  const { provider, documentationUrl, iconUrl, capabilities, endpoints } = input;
  return {
    name: input.name,
    description: input.deprecated ? DEPRECATED_NOTICE + input.description : input.description,
    version: input.version,
    supportedInterfaces: interfacesOf(endpoints),
    // Both members are required in 0.2.5 and later; an unknown URL is empty rather than missing.
    ...(provider === undefined ? {} : { provider: { organization: provider.organization, url: provider.url ?? '' } }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(iconUrl === undefined ? {} : { iconUrl }),
    capabilities: {
      streaming: true,
      ...(input.pushNotifications ? { pushNotifications: true } : {}),
      ...(capabilities.extendedAgentCard ? { extendedAgentCard: true } : {}),
      ...some('extensions', capabilities.extensions.map(writeExtension)),
    },
    defaultInputModes: modes(input.inputModes),
    defaultOutputModes: modes(input.outputModes),
    skills: input.skills.map((skill) => writeSkill(skill, modes)),
  };
}

/** A requirement without scopes is `{}`: ProtoJSON leaves out the empty list. */
const REQUIREMENTS_V1 = [{ schemes: { [BEARER]: {} } }];

const securityV1 = {
  none: {},
  bearer: {
    securitySchemes: { [BEARER]: { httpAuthSecurityScheme: BEARER_SCHEME } },
    securityRequirements: REQUIREMENTS_V1,
  },
} as const;

/**
 * `securitySchemes` has another shape in 0.3 than in 1.0 under the same name. Each scheme therefore carries both: the
 * flat members, by whose `type` readers of 0.3 (and the SDK, which leaves such a card alone) know it, and the wrapped
 * one for readers of 1.0. `security` stays in the old form, `securityRequirements` has the new one.
 */
const securityHybrid = {
  none: {},
  bearer: {
    securitySchemes: { [BEARER]: { type: 'http', ...BEARER_SCHEME, httpAuthSecurityScheme: BEARER_SCHEME } },
    security: [{ [BEARER]: [] }],
    securityRequirements: REQUIREMENTS_V1,
  },
} as const;

function writeV1(input: DerivedCardInput): object {
  return { ...common(input, (modes) => modes), ...securityV1[input.gatewayAuth] };
}

function writeOlder(input: DerivedCardInput, modes: (list: readonly string[]) => readonly string[]) {
  const card = common(input, modes);
  const older = card.supportedInterfaces.filter(({ protocolVersion }) => protocolVersion === '0.3');
  return {
    ...card,
    capabilities: { ...card.capabilities, stateTransitionHistory: input.capabilities.stateTransitionHistory },
    protocolVersion: '0.3.0',
    url: input.endpoints.rpcUrl,
    preferredTransport: 'JSONRPC',
    additionalInterfaces: older.map(({ url, protocolBinding }) => ({ url, transport: protocolBinding })),
    ...(input.capabilities.extendedAgentCard ? { supportsAuthenticatedExtendedCard: true } : {}),
    ...securityHybrid[input.gatewayAuth],
  };
}

const WRITERS: { readonly [F in CardForm]: (input: DerivedCardInput) => object } = {
  v1: writeV1,
  hybrid: (input) => writeOlder(input, (modes) => modes),
  legacy: (input) => ({
    ...writeOlder(input, withEarlyWords),
    ...(input.gatewayAuth === 'bearer' ? { authentication: { schemes: [BEARER_SCHEME.scheme] } } : {}),
  }),
};

/** The card that Rollcall serves for an agent, in one of the {@link CARD_FORMS}; a plain JSON object, unsigned. */
export const writeCard = (form: CardForm, input: DerivedCardInput): object => WRITERS[form](input);

/** A strong entity tag (RFC 9110 §8.8.3) of exactly this text, quotes included. */
export const cardEtag = (json: string): string => `"${createHash('sha256').update(json).digest('base64url')}"`;
