import { CARD_LIMITS } from './limits.ts';
import type { CardModel } from './model.ts';
import type { CardNode } from './node.ts';
import {
  OAUTH_FLOWS,
  type OAuthFlow,
  type OAuthFlowName,
  type OAuthFlows,
  SCHEME_TYPES,
  type SchemeMember,
  type SecurityRequirement,
  type SecurityScheme,
} from './security.ts';

type Security = Pick<CardModel, 'securitySchemes' | 'securityRequirements'>;

/** `{ [name]: text }` if there is one, else nothing: optional members are left out rather than undefined. */
function optional<K extends string>(node: CardNode, name: K, limit: number): { readonly [P in K]?: string } {
  const text = node.member(name).text(limit);
  return (text === undefined ? {} : { [name]: text }) as { readonly [P in K]?: string };
}

function readFlow(node: CardNode, name: OAuthFlowName): OAuthFlow {
  const required: readonly string[] = OAUTH_FLOWS[name];
  for (const url of required) {
    if (!node.has(url)) node.member(url).warning(`is required in the ${name} flow.`);
  }
  const scopes = node.member('scopes').entries(CARD_LIMITS.scopes);
  return {
    ...optional(node, 'authorizationUrl', CARD_LIMITS.url),
    ...optional(node, 'tokenUrl', CARD_LIMITS.url),
    ...optional(node, 'deviceAuthorizationUrl', CARD_LIMITS.url),
    ...optional(node, 'refreshUrl', CARD_LIMITS.url),
    ...(node.has('pkceRequired') ? { pkceRequired: node.member('pkceRequired').flag() } : {}),
    scopes: Object.fromEntries(scopes.map(([scope, text]) => [scope, text.text(CARD_LIMITS.description) ?? ''])),
  };
}

function readFlows(node: CardNode): OAuthFlows {
  if (!node.present) node.warning('is required: the flows by which a token is got.');
  if (!node.expectObject()) return {};
  const names = (Object.keys(OAUTH_FLOWS) as OAuthFlowName[]).filter((name) => node.member(name).expectObject());
  return Object.fromEntries(names.map((name) => [name, readFlow(node.member(name), name)]));
}

const described = (node: CardNode) => optional(node, 'description', CARD_LIMITS.description);

const needed = (node: CardNode, name: string): string =>
  node.member(name).required(CARD_LIMITS.url, 'is required in this security scheme.');

/** How the body of each scheme is read; `location` was `in` before 1.0. */
const READ_SCHEME: { readonly [M in SchemeMember]: (node: CardNode) => SecurityScheme } = {
  apiKeySecurityScheme: (node) => ({
    apiKeySecurityScheme: {
      ...described(node),
      location: needed(node, node.has('in') && !node.has('location') ? 'in' : 'location'),
      name: needed(node, 'name'),
    },
  }),
  httpAuthSecurityScheme: (node) => ({
    httpAuthSecurityScheme: {
      ...described(node),
      scheme: needed(node, 'scheme'),
      ...optional(node, 'bearerFormat', CARD_LIMITS.name),
    },
  }),
  oauth2SecurityScheme: (node) => ({
    oauth2SecurityScheme: {
      ...described(node),
      flows: readFlows(node.member('flows')),
      ...optional(node, 'oauth2MetadataUrl', CARD_LIMITS.url),
    },
  }),
  openIdConnectSecurityScheme: (node) => ({
    openIdConnectSecurityScheme: { ...described(node), openIdConnectUrl: needed(node, 'openIdConnectUrl') },
  }),
  mtlsSecurityScheme: (node) => ({ mtlsSecurityScheme: described(node) }),
};

const MEMBERS = Object.keys(SCHEME_TYPES) as SchemeMember[];

/** One scheme in 1.0's wrapped or the older flat form; a hybrid's scheme has both, and the wrapped one counts. */
function readScheme(node: CardNode): SecurityScheme | undefined {
  if (!node.present) node.error('must be an object; this is null.');
  if (!node.expectObject()) return undefined;
  const wrapped = MEMBERS.find((member) => node.has(member));
  if (wrapped) return node.member(wrapped).expectObject() ? READ_SCHEME[wrapped](node.member(wrapped)) : undefined;
  const type = node.member('type').text(CARD_LIMITS.name);
  const flat = MEMBERS.find((member) => SCHEME_TYPES[member].toLowerCase() === type?.toLowerCase());
  if (flat) return READ_SCHEME[flat](node);
  node.warning('is not a kind of security scheme that A2A names, so it is left out.');
  return undefined;
}

const scopesOf = (node: CardNode): { readonly list: readonly string[] } => ({
  list: (node.isObject ? node.member('list') : node).texts(CARD_LIMITS.scopes, CARD_LIMITS.scope),
});

/** Alternatives in 1.0's form `{schemes: {name: {list}}}` or the older `{name: [scopes]}`. */
export function readRequirements(list: CardNode): SecurityRequirement[] {
  return list.items(CARD_LIMITS.securityRequirements).flatMap((item) => {
    if (!item.present) item.error('must be an object; this is null.');
    if (!item.expectObject()) return [];
    const schemes = item.member('schemes').isObject ? item.member('schemes') : item;
    const named = schemes.entries(CARD_LIMITS.securitySchemes).map(([name, node]) => [name, scopesOf(node)]);
    return [{ schemes: Object.fromEntries(named) }];
  });
}

/** Early schemes that ask for nothing, as cards of that time wrote it. */
const OPEN_EARLY_SCHEMES = new Set(['none', 'public', 'anonymous']);

/**
 * The early era's `authentication`: names of HTTP schemes, any one of which will do. Its `credentials` are never kept:
 * a public card should have none.
 */
function readEarly(node: CardNode): Security {
  if (!node.expectObject()) return { securitySchemes: {}, securityRequirements: [] };
  if (node.has('credentials')) node.member('credentials').warning('is not kept: a card is public.');
  const names = new Set(node.member('schemes').texts(CARD_LIMITS.securitySchemes, CARD_LIMITS.name));
  const asking = [...names].filter((name) => !OPEN_EARLY_SCHEMES.has(name.toLowerCase()));
  return {
    securitySchemes: Object.fromEntries(
      asking.map((name) => [name.toLowerCase(), { httpAuthSecurityScheme: { scheme: name } }]),
    ),
    securityRequirements:
      asking.length < names.size ? [] : asking.map((name) => ({ schemes: { [name.toLowerCase()]: { list: [] } } })),
  };
}

/** How callers must authenticate, from whichever members the card has; the newest form counts. */
export function readSecurity(card: CardNode): Security {
  if (card.has('authentication') && !card.has('securitySchemes')) return readEarly(card.member('authentication'));
  const schemes = card
    .member('securitySchemes')
    .entries(CARD_LIMITS.securitySchemes)
    .flatMap(([name, node]) => {
      const scheme = readScheme(node);
      return scheme === undefined ? [] : [[name, scheme] as const];
    });
  const securitySchemes = Object.fromEntries(schemes);
  const list = card.member(card.has('securityRequirements') ? 'securityRequirements' : 'security');
  const securityRequirements = readRequirements(list);
  for (const name of new Set(securityRequirements.flatMap(({ schemes: asked }) => Object.keys(asked)))) {
    if (!Object.hasOwn(securitySchemes, name))
      list.warning(`asks for "${name}", which securitySchemes does not describe.`);
  }
  return { securitySchemes, securityRequirements };
}
