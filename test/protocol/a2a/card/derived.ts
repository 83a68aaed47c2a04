import fc from 'fast-check';
import {
  type CardForm,
  type CardModel,
  DEPRECATED_NOTICE,
  type DerivedCardInput,
} from '../../../../src/protocol/a2a/card/index.ts';

export const AGENT_ID = '0197a3c0-7b1e-7cc1-8c11-3f6f2f6f0001';
const RPC_URL = `https://rollcall.example/a2a/${AGENT_ID}/`;

export const DERIVED: DerivedCardInput = {
  name: 'Ferry Times',
  description: 'Answers questions about ferries.',
  version: '2.0.0',
  provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
  documentationUrl: 'https://ferries.example/docs',
  iconUrl: 'https://ferries.example/icon.png',
  inputModes: ['text/plain', 'application/json'],
  outputModes: ['text/plain', 'image/png'],
  capabilities: {
    extendedAgentCard: true,
    stateTransitionHistory: true,
    extensions: [
      { uri: 'urn:example:tides', description: 'Tides', required: true, params: { port: 'east' } },
      { uri: 'urn:example:wind', required: false },
    ],
  },
  skills: [
    {
      id: 'next',
      name: 'Next ferry',
      description: 'The next departure.',
      tags: ['ferry'],
      examples: ['When does the next ferry leave?'],
      inputModes: ['text/plain'],
      outputModes: [],
    },
  ],
  endpoints: { rpcUrl: RPC_URL, grpcUrl: 'rollcall.example:50051', tenant: AGENT_ID },
  gatewayAuth: 'bearer',
  pushNotifications: true,
  deprecated: false,
};

/** What a reader must make of a derived card, form by form: everything that the form can carry. */
export function expectedModel(form: CardForm, input: DerivedCardInput): CardModel {
  const { rpcUrl, grpcUrl, tenant } = input.endpoints;
  const restUrl = rpcUrl.slice(0, -1);
  const { name, description, version, provider, documentationUrl, iconUrl, capabilities, skills } = input;
  const bearer = input.gatewayAuth === 'bearer';
  return {
    name,
    description: (input.deprecated ? DEPRECATED_NOTICE : '') + description,
    version,
    ...(provider === undefined ? {} : { provider }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(iconUrl === undefined ? {} : { iconUrl }),
    interfaces: [
      { url: rpcUrl, binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' },
      { url: rpcUrl, binding: 'JSONRPC', protocolVersion: '0.3', dialect: '0.3' },
      { url: restUrl, binding: 'HTTP+JSON', protocolVersion: '1.0', dialect: '1.0' },
      { url: restUrl, binding: 'HTTP+JSON', protocolVersion: '0.3', dialect: '0.3' },
      ...(grpcUrl === undefined
        ? []
        : [{ url: grpcUrl, binding: 'GRPC', protocolVersion: '1.0', dialect: '1.0', tenant } as const]),
    ],
    capabilities: {
      ...capabilities,
      streaming: true,
      pushNotifications: input.pushNotifications,
      // Only cards before 1.0 have a place for it.
      stateTransitionHistory: form !== 'v1' && capabilities.stateTransitionHistory,
    },
    inputModes: input.inputModes,
    outputModes: input.outputModes,
    skills,
    securitySchemes: bearer ? { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' } } } : {},
    securityRequirements: bearer ? [{ schemes: { bearer: { list: [] } } }] : [],
    signatures: [],
  };
}

/** Any text that a card may hold: not blank, no NUL, whole code points. */
const text = (maxLength: number) =>
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: Math.min(maxLength, 40) })
    .filter((value) => value.trim() !== '' && !value.includes('\0'));

const mode = fc.constantFrom('text/plain', 'application/json', 'application/octet-stream', 'image/png', 'audio/*');
const modes = fc.uniqueArray(mode, { maxLength: 4 });
const url = fc.webUrl({ validSchemes: ['http', 'https'], withQueryParameters: true });
const optional = <K extends string, T>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [P in K]?: T }> =>
  fc.option(value).map((some) => (some === null ? {} : { [key]: some }) as { [P in K]?: T });

const skill = fc.record({
  id: text(40),
  name: text(40),
  description: fc.oneof(text(40), fc.constant('')),
  tags: fc.array(text(20), { maxLength: 3 }),
  examples: fc.array(text(20), { maxLength: 3 }),
  inputModes: modes,
  outputModes: modes,
});

const extension = fc
  .tuple(
    fc.record({ uri: text(40), required: fc.boolean() }),
    optional('description', text(40)),
    optional(
      'params',
      fc.dictionary(
        fc.string(),
        fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
      ),
    ),
  )
  .map(([base, description, params]) => ({ ...base, ...description, ...params }));

/** Any input of a derived card within the limits. */
export const derivedInput: fc.Arbitrary<DerivedCardInput> = fc
  .tuple(
    fc.record({
      name: text(40),
      description: fc.oneof(text(40), fc.constant('')),
      version: text(20),
      inputModes: modes.filter((list) => list.length > 0),
      outputModes: modes.filter((list) => list.length > 0),
      capabilities: fc.record({
        extendedAgentCard: fc.boolean(),
        stateTransitionHistory: fc.boolean(),
        extensions: fc.array(extension, { maxLength: 3 }),
      }),
      skills: fc.uniqueArray(skill, { maxLength: 4, selector: ({ id }) => id }),
      gatewayAuth: fc.constantFrom('none' as const, 'bearer' as const),
      pushNotifications: fc.boolean(),
      deprecated: fc.boolean(),
      endpoints: optional('grpcUrl', fc.constant('rollcall.example:50051')).map((grpc) => ({
        rpcUrl: RPC_URL,
        tenant: AGENT_ID,
        ...grpc,
      })),
    }),
    optional('documentationUrl', url),
    optional('iconUrl', url),
    optional(
      'provider',
      fc.tuple(text(40), optional('url', url)).map(([organization, link]) => ({ organization, ...link })),
    ),
  )
  .map(([base, documentationUrl, iconUrl, provider]) => ({ ...base, ...documentationUrl, ...iconUrl, ...provider }));

const requirements = fc.array(
  fc
    .dictionary(
      fc.constantFrom('key', 'bearer', 'device'),
      fc.uniqueArray(fc.constantFrom('read', 'write'), { maxLength: 2 }),
      {
        maxKeys: 2,
      },
    )
    .map((schemes) => ({
      schemes: Object.fromEntries(Object.entries(schemes).map(([name, list]) => [name, { list }])),
    })),
  { maxLength: 3 },
);

const scheme = fc.constantFrom<CardModel['securitySchemes'][string]>(
  { httpAuthSecurityScheme: { scheme: 'Bearer' } },
  { httpAuthSecurityScheme: { scheme: 'Bearer', description: 'A token' } },
  { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
);

const version = fc.constantFrom(['0.3.0', '0.3'] as const, ['1.0', '1.0'] as const, ['1.0.1', '1.0'] as const);
const endpoint = fc
  .tuple(version, fc.constantFrom('https://a.example/', 'https://b.example/'), fc.constantFrom('JSONRPC', 'HTTP+JSON'))
  .map(([[protocolVersion, dialect], at, binding]) => ({ url: at, binding, protocolVersion, dialect }));

/** Models drawn from few values, so that two of them have much in common. */
export const anyModel: fc.Arbitrary<CardModel> = fc
  .tuple(
    derivedInput,
    requirements,
    fc.dictionary(fc.constantFrom('key', 'bearer', 'device'), scheme, { maxKeys: 3 }),
    fc.array(endpoint, { maxLength: 4 }),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
  )
  .map(([input, securityRequirements, securitySchemes, interfaces, ids]) => ({
    ...expectedModel('hybrid', input),
    interfaces,
    securityRequirements,
    securitySchemes,
    skills: ids.flatMap((id, i) => (input.skills[i] ? [{ ...input.skills[i], id }] : [])),
  }));
