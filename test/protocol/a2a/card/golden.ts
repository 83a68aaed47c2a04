import type { CardModel } from '../../../../src/protocol/a2a/card/index.ts';

/** One card per era, as an author of that time would write it, and what each of them means. */
export const EARLY = {
  name: 'Ferry Times',
  url: 'http://127.0.0.1:10001/',
  provider: { organization: 'Harbour Office' },
  version: '1.2.0',
  capabilities: { streaming: true, pushNotifications: false, stateTransitionHistory: true },
  authentication: { schemes: ['Bearer'] },
  defaultInputModes: ['text'],
  defaultOutputModes: ['text', 'data'],
  skills: [{ id: 'next', name: 'Next ferry', examples: ['When does the next ferry leave?'] }],
};

export const V02 = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  url: 'http://127.0.0.1:10001/rpc',
  version: '1.3.0',
  capabilities: { streaming: true, extensions: [{ uri: 'urn:example:tides', required: true }] },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
  security: [{ key: [] }],
  supportsAuthenticatedExtendedCard: true,
  skills: [{ id: 'next', name: 'Next ferry', description: 'The next departure.', tags: ['ferry'] }],
};

export const V03 = {
  protocolVersion: '0.3.0',
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  url: 'https://ferries.example/a2a/rpc',
  preferredTransport: 'JSONRPC',
  additionalInterfaces: [
    { url: 'https://ferries.example/a2a/rpc', transport: 'JSONRPC' },
    { url: 'https://ferries.example/a2a/grpc', transport: 'GRPC' },
    { url: 'https://ferries.example/a2a/rest', transport: 'HTTP+JSON' },
  ],
  provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
  iconUrl: 'https://ferries.example/icon.png',
  documentationUrl: 'https://ferries.example/docs',
  version: '2.0.0',
  capabilities: { streaming: true, pushNotifications: true, stateTransitionHistory: false },
  securitySchemes: {
    harbour: {
      type: 'oauth2',
      description: 'Harbour accounts',
      flows: {
        clientCredentials: { tokenUrl: 'https://id.example/token', scopes: { read: 'Read timetables' } },
      },
      oauth2MetadataUrl: 'https://id.example/.well-known/oauth-authorization-server',
    },
    mutual: { type: 'mutualTLS' },
    oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://id.example/.well-known/openid-configuration' },
    token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  },
  security: [{ harbour: ['read'] }, { mutual: [], token: [] }],
  defaultInputModes: ['text/plain', 'application/json'],
  defaultOutputModes: ['text/plain', 'image/png'],
  skills: [
    {
      id: 'next',
      name: 'Next ferry',
      description: 'The next departure.',
      tags: ['ferry', 'timetable'],
      examples: ['When does the next ferry leave?'],
      inputModes: ['text/plain'],
      outputModes: ['text/plain'],
      security: [{ oidc: [] }],
    },
  ],
  signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2lnbmF0dXJl', header: { note: 'x' } }],
};

export const V10 = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  supportedInterfaces: [
    { url: 'https://ferries.example/a2a/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: 'ferries.example:443', protocolBinding: 'GRPC', protocolVersion: '1.0', tenant: 'ferries' },
    { url: 'https://ferries.example/a2a/rpc', protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
  ],
  provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
  version: '3.0.0',
  capabilities: {
    streaming: true,
    pushNotifications: false,
    extensions: [{ uri: 'urn:example:tides', description: 'Tides', required: false, params: { port: ['east'] } }],
    extendedAgentCard: true,
  },
  securitySchemes: {
    key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
    device: {
      oauth2SecurityScheme: {
        flows: {
          deviceCode: {
            deviceAuthorizationUrl: 'https://id.example/device',
            tokenUrl: 'https://id.example/token',
            scopes: {},
          },
        },
      },
    },
  },
  securityRequirements: [{ schemes: { key: { list: [] } } }, { schemes: { device: {} } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'next', name: 'Next ferry', description: 'The next departure.', tags: ['ferry'] }],
  signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2lnbmF0dXJl' }],
};

const skill = {
  id: 'next',
  name: 'Next ferry',
  description: 'The next departure.',
  tags: ['ferry'],
  examples: [],
  inputModes: [],
  outputModes: [],
};

export const EARLY_MODEL: CardModel = {
  name: 'Ferry Times',
  description: '',
  version: '1.2.0',
  provider: { organization: 'Harbour Office' },
  interfaces: [{ url: 'http://127.0.0.1:10001/', binding: 'JSONRPC', protocolVersion: '0.1', dialect: 'early' }],
  capabilities: {
    streaming: true,
    pushNotifications: false,
    stateTransitionHistory: true,
    extendedAgentCard: false,
    extensions: [],
  },
  inputModes: ['text/plain'],
  outputModes: ['text/plain', 'application/json'],
  skills: [{ ...skill, description: '', tags: [], examples: ['When does the next ferry leave?'] }],
  securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
  securityRequirements: [{ schemes: { bearer: { list: [] } } }],
  signatures: [],
};

export const V02_MODEL: CardModel = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  version: '1.3.0',
  interfaces: [{ url: 'http://127.0.0.1:10001/rpc', binding: 'JSONRPC', protocolVersion: '0.2', dialect: '0.3' }],
  capabilities: {
    streaming: true,
    pushNotifications: false,
    stateTransitionHistory: false,
    extendedAgentCard: true,
    extensions: [{ uri: 'urn:example:tides', required: true }],
  },
  inputModes: ['text/plain'],
  outputModes: ['text/plain'],
  skills: [skill],
  securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
  securityRequirements: [{ schemes: { key: { list: [] } } }],
  signatures: [],
};

export const V03_MODEL: CardModel = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  version: '2.0.0',
  provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
  documentationUrl: 'https://ferries.example/docs',
  iconUrl: 'https://ferries.example/icon.png',
  interfaces: [
    { url: 'https://ferries.example/a2a/rpc', binding: 'JSONRPC', protocolVersion: '0.3.0', dialect: '0.3' },
    { url: 'https://ferries.example/a2a/grpc', binding: 'GRPC', protocolVersion: '0.3.0', dialect: '0.3' },
    { url: 'https://ferries.example/a2a/rest', binding: 'HTTP+JSON', protocolVersion: '0.3.0', dialect: '0.3' },
  ],
  capabilities: {
    streaming: true,
    pushNotifications: true,
    stateTransitionHistory: false,
    extendedAgentCard: false,
    extensions: [],
  },
  inputModes: ['text/plain', 'application/json'],
  outputModes: ['text/plain', 'image/png'],
  skills: [
    {
      ...skill,
      tags: ['ferry', 'timetable'],
      examples: ['When does the next ferry leave?'],
      inputModes: ['text/plain'],
      outputModes: ['text/plain'],
      securityRequirements: [{ schemes: { oidc: { list: [] } } }],
    },
  ],
  securitySchemes: {
    harbour: {
      oauth2SecurityScheme: {
        description: 'Harbour accounts',
        flows: { clientCredentials: { tokenUrl: 'https://id.example/token', scopes: { read: 'Read timetables' } } },
        oauth2MetadataUrl: 'https://id.example/.well-known/oauth-authorization-server',
      },
    },
    mutual: { mtlsSecurityScheme: {} },
    oidc: {
      openIdConnectSecurityScheme: { openIdConnectUrl: 'https://id.example/.well-known/openid-configuration' },
    },
    token: { httpAuthSecurityScheme: { scheme: 'bearer', bearerFormat: 'JWT' } },
  },
  securityRequirements: [
    { schemes: { harbour: { list: ['read'] } } },
    { schemes: { mutual: { list: [] }, token: { list: [] } } },
  ],
  signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2lnbmF0dXJl', header: { note: 'x' } }],
};

export const V10_MODEL: CardModel = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  version: '3.0.0',
  provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
  interfaces: [
    { url: 'https://ferries.example/a2a/rpc', binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' },
    { url: 'ferries.example:443', binding: 'GRPC', protocolVersion: '1.0', dialect: '1.0', tenant: 'ferries' },
    { url: 'https://ferries.example/a2a/rpc', binding: 'JSONRPC', protocolVersion: '0.3', dialect: '0.3' },
  ],
  capabilities: {
    streaming: true,
    pushNotifications: false,
    stateTransitionHistory: false,
    extendedAgentCard: true,
    extensions: [{ uri: 'urn:example:tides', description: 'Tides', required: false, params: { port: ['east'] } }],
  },
  inputModes: ['text/plain'],
  outputModes: ['text/plain'],
  skills: [skill],
  securitySchemes: {
    key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
    device: {
      oauth2SecurityScheme: {
        flows: {
          deviceCode: {
            tokenUrl: 'https://id.example/token',
            deviceAuthorizationUrl: 'https://id.example/device',
            scopes: {},
          },
        },
      },
    },
  },
  securityRequirements: [{ schemes: { key: { list: [] } } }, { schemes: { device: { list: [] } } }],
  signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2lnbmF0dXJl' }],
};

/** Every era's card with its reading. */
export const GOLDEN = [
  { era: 'early', card: EARLY, model: EARLY_MODEL },
  { era: '0.2', card: V02, model: V02_MODEL },
  { era: '0.3', card: V03, model: V03_MODEL },
  { era: '1.0', card: V10, model: V10_MODEL },
] as const;
