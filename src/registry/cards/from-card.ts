import type { CardInterface, CardModel, SecurityScheme } from '../../protocol/a2a/card/index.ts';
import type { Authentication } from '../input/authentication.ts';
import type { AgentInput, SkillInput } from '../input/schemas.ts';
import type { AuthenticationType } from '../words.ts';

/** Bindings that Rollcall calls, best first. */
const CALLABLE = ['JSONRPC', 'HTTP+JSON', 'GRPC'];

/** The interface to call: the agent's first among those of the best binding we speak. */
export function preferredInterface(interfaces: readonly CardInterface[]): CardInterface | undefined {
  for (const binding of CALLABLE) {
    const found = interfaces.find((i) => i.binding === binding);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The fields of an agent that its card decides; a refresh sets these and no others. */
export function agentFromCard(
  card: CardModel,
): Omit<AgentInput, 'executionType' | 'authentication' | 'visibility' | 'handle' | 'skills'> {
  const chosen = preferredInterface(card.interfaces);
  return {
    name: card.name,
    description: card.description,
    version: card.version,
    inputModes: [...card.inputModes],
    outputModes: [...card.outputModes],
    url: chosen === undefined || chosen.binding === 'GRPC' ? null : chosen.url,
    interfaces: card.interfaces.map(({ url, binding, protocolVersion, dialect, tenant }) => ({
      url,
      binding,
      protocolVersion,
      dialect,
      ...(tenant === undefined ? {} : { tenant }),
    })),
    documentationUrl: card.documentationUrl ?? null,
    iconUrl: card.iconUrl ?? null,
    extensions: card.capabilities.extensions.map((extension) => ({ ...extension })),
    streaming: card.capabilities.streaming,
    pushNotifications: card.capabilities.pushNotifications,
    stateTransitionHistory: card.capabilities.stateTransitionHistory,
    provider: card.provider === undefined ? null : { name: card.provider.organization, url: card.provider.url ?? null },
  };
}

export const skillsFromCard = (card: CardModel): SkillInput[] =>
  card.skills.map(({ id, name, description, tags, examples, inputModes, outputModes }) => ({
    key: id,
    name,
    description,
    tags: [...tags],
    examples: [...examples],
    inputModes: [...inputModes],
    outputModes: [...outputModes],
  }));

/** The member of a 1.0 security scheme → how we sign in to it. */
const SIGN_IN: readonly [member: string, type: (scheme: Record<string, unknown>) => AuthenticationType][] = [
  ['httpAuthSecurityScheme', (s) => (String(s['scheme']).toLowerCase() === 'basic' ? 'basic' : 'bearer')],
  ['apiKeySecurityScheme', () => 'apiKey'],
  ['oauth2SecurityScheme', () => 'oauth2'],
  ['openIdConnectSecurityScheme', () => 'bearer'],
];

/** How the card asks callers to sign in, as far as one scheme of its first requirement says it. Without credentials: those only a person can give. */
export function authenticationFromCard(card: CardModel): Authentication {
  const [wanted] = Object.keys(card.securityRequirements[0]?.schemes ?? {});
  const scheme =
    wanted === undefined
      ? undefined
      : (card.securitySchemes[wanted] as (SecurityScheme & Record<string, unknown>) | undefined);
  for (const [member, typeOf] of SIGN_IN) {
    const body = scheme?.[member];
    if (body !== null && typeof body === 'object') return emptyAuthentication(typeOf(body as Record<string, unknown>));
  }
  return { type: 'none' };
}

const emptyAuthentication = (type: AuthenticationType): Authentication =>
  type === 'apiKey' ? { type, in: 'header', name: 'X-API-Key' } : type === 'oauth2' ? { type, scopes: [] } : { type };
