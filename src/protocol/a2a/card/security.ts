/** One OAuth 2.0 flow; which members a flow has is in {@link OAUTH_FLOWS}. */
export interface OAuthFlow {
  readonly authorizationUrl?: string;
  readonly tokenUrl?: string;
  readonly deviceAuthorizationUrl?: string;
  readonly refreshUrl?: string;
  readonly pkceRequired?: boolean;
  /** Scope → what it allows. */
  readonly scopes: Readonly<Record<string, string>>;
}

/** The flows that any version of A2A names, with the URLs that each requires (1.0 spec §4.5.7; OpenAPI 3.2 OAuth Flows). */
export const OAUTH_FLOWS = {
  authorizationCode: ['authorizationUrl', 'tokenUrl'],
  clientCredentials: ['tokenUrl'],
  deviceCode: ['deviceAuthorizationUrl', 'tokenUrl'],
  implicit: ['authorizationUrl'],
  password: ['tokenUrl'],
} as const;
export type OAuthFlowName = keyof typeof OAUTH_FLOWS;

/** 1.0 allows one flow, older cards several: all are kept. */
export type OAuthFlows = Readonly<Partial<Record<OAuthFlowName, OAuthFlow>>>;

interface Described {
  readonly description?: string;
}

/** A way to authenticate, in 1.0's form: an object with one member that says which (proto `SecurityScheme`). */
export type SecurityScheme =
  | { readonly apiKeySecurityScheme: Described & { readonly location: string; readonly name: string } }
  | { readonly httpAuthSecurityScheme: Described & { readonly scheme: string; readonly bearerFormat?: string } }
  | { readonly oauth2SecurityScheme: Described & { readonly flows: OAuthFlows; readonly oauth2MetadataUrl?: string } }
  | { readonly openIdConnectSecurityScheme: Described & { readonly openIdConnectUrl: string } }
  | { readonly mtlsSecurityScheme: Described };

/** The member of 1.0's form ↔ the `type` of the 0.2 and 0.3 form. */
export const SCHEME_TYPES = {
  apiKeySecurityScheme: 'apiKey',
  httpAuthSecurityScheme: 'http',
  oauth2SecurityScheme: 'oauth2',
  openIdConnectSecurityScheme: 'openIdConnect',
  mtlsSecurityScheme: 'mutualTLS',
} as const;
export type SchemeMember = keyof typeof SCHEME_TYPES;

/** Scheme name → the scopes that it must grant; all of the schemes together are one alternative. */
export interface SecurityRequirement {
  readonly schemes: Readonly<Record<string, { readonly list: readonly string[] }>>;
}
