import { type CardForm, cardEtag, type DerivedCardInput, writeCard } from '../../protocol/a2a/card/index.ts';
import type { Agent, Skill } from '../model.ts';

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
export function deriveCard(gateway: CardGateway, agent: Agent, skills: readonly Skill[], form: CardForm): DerivedCard {
  const input: DerivedCardInput = {
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
      extendedAgentCard: false,
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
    // The task engine has none yet: a card that declared them would send clients into PUSH_NOT_SUPPORTED.
    pushNotifications: false,
    gatewayAuth: gateway.auth,
    deprecated: agent.status === 'deprecated',
  };
  const json = JSON.stringify(writeCard(form, input));
  return { json, etag: cardEtag(json), lastModified: agent.updatedAt, cacheable: agent.visibility === 'public' };
}
