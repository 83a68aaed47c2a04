import { type CardForm, cardEtag, type DerivedCardInput, writeCard } from '../../protocol/a2a/card/index.ts';
import type { Agent, AgentExtension, Skill } from '../model.ts';
import type { CardSigner } from './trust/signer.ts';

/** What derived cards say of the gateway itself. */
export interface CardGateway {
  /** Ends in "/". */
  readonly publicUrl: string;
  /** `host:port`; undefined while the gRPC binding is not served. */
  readonly publicGrpcUrl?: string | undefined;
  readonly auth: 'none' | 'bearer';
}

/** A card ready to be served. */
export interface DerivedCard {
  readonly json: string;
  /** Strong, one per form. */
  readonly etag: string;
  readonly lastModified: Date;
  /** True when shared caches may keep it: the agent is public. */
  readonly cacheable: boolean;
}

/** The card of an agent in one form. Endpoints and security are the gateway's, never the agent's own. */
export async function deriveCard(
  gateway: CardGateway,
  agent: Agent,
  skills: readonly Skill[],
  form: CardForm,
  signer?: CardSigner,
): Promise<DerivedCard> {
  const card = writeCard(form, inputOf(gateway, agent, skills));
  return {
    json: JSON.stringify(await signed(card, form, gateway, signer)),
    // Of what is said: signatures differ from replica to replica, as most algorithms draw a random number.
    etag: cardEtag(JSON.stringify([card, signer?.keyId])),
    lastModified: agent.updatedAt,
    cacheable: agent.visibility === 'public',
  };
}

/** Only the pure 1.0 form is signed: a reader of another takes members for what the signature does not mean. */
const signed = (card: object, form: CardForm, { publicUrl }: CardGateway, signer: CardSigner | undefined) =>
  signer === undefined || form !== 'v1' ? card : signer.sign(card, `${publicUrl}.well-known/jwks.json`);

/** As {@link deriveCard}, with what only some callers may know. Not for caches. */
export async function extendCard(
  gateway: CardGateway,
  agent: Agent,
  skills: readonly Skill[],
  details: AgentExtension,
  form: CardForm,
  signer?: CardSigner,
): Promise<object> {
  const card = writeCard(form, inputOf(gateway, { ...agent, extensions: [...agent.extensions, details] }, skills));
  return signed(card, form, gateway, signer);
}

function inputOf(gateway: CardGateway, agent: Agent, skills: readonly Skill[]): DerivedCardInput {
  return {
    name: agent.name,
    description: agent.description,
    // Required in every era; an agent registered by hand may have none.
    version: agent.version === '' ? `r${agent.revision}` : agent.version,
    ...(agent.provider === null
      ? {}
      : {
          provider: {
            organization: agent.provider.name,
            ...(agent.provider.url === null ? {} : { url: agent.provider.url }),
          },
        }),
    ...(agent.documentationUrl === null ? {} : { documentationUrl: agent.documentationUrl }),
    ...(agent.iconUrl === null ? {} : { iconUrl: agent.iconUrl }),
    inputModes: agent.inputModes,
    outputModes: agent.outputModes,
    capabilities: {
      // It is for signed-in callers; where nobody signs in, there are none.
      extendedAgentCard: gateway.auth === 'bearer',
      stateTransitionHistory: agent.stateTransitionHistory,
      extensions: agent.extensions.map((e) => ({
        ...e,
        required: e.required === true,
      })) as DerivedCardInput['capabilities']['extensions'],
    },
    skills: skills.map((s) => ({
      id: s.key,
      name: s.name,
      description: s.description,
      tags: s.tags,
      examples: s.examples,
      inputModes: s.inputModes,
      outputModes: s.outputModes,
    })),
    endpoints: {
      rpcUrl: `${gateway.publicUrl}a2a/${agent.id}/`,
      ...(gateway.publicGrpcUrl === undefined ? {} : { grpcUrl: gateway.publicGrpcUrl }),
      tenant: agent.id,
    },
    // Rollcall delivers them itself, whatever the agent can do.
    pushNotifications: true,
    gatewayAuth: gateway.auth,
    deprecated: agent.status === 'deprecated',
  };
}
