import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard } from '@a2a-js/sdk';
import { ClientFactory, DefaultAgentCardResolver } from '@a2a-js/sdk/client';
import { isLegacyAgentCard, parseLegacyAgentCard } from '@a2a-js/sdk/compat/v0_3/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CARD_FORMS,
  CARD_PATHS,
  type CardForm,
  cardEtag,
  type DerivedCardInput,
  readCard,
  writeCard,
} from '../../../../src/protocol/a2a/card/index.ts';
import { oracle, schemasPresent } from '../../../support/published-schemas.ts';
import { AGENT_ID, DERIVED, expectedModel } from './derived.ts';

/** Inputs that differ in every optional member. */
const INPUTS: readonly (readonly [string, DerivedCardInput])[] = [
  ['full', DERIVED],
  [
    'bare',
    {
      name: 'Echo',
      description: '',
      version: '1',
      provider: { organization: 'Nobody' },
      inputModes: ['text/plain'],
      outputModes: ['text/plain'],
      capabilities: { extendedAgentCard: false, stateTransitionHistory: false, extensions: [] },
      skills: [],
      endpoints: { rpcUrl: `http://127.0.0.1:4000/a2a/${AGENT_ID}/`, tenant: AGENT_ID },
      gatewayAuth: 'none',
      pushNotifications: false,
      deprecated: true,
    },
  ],
];
const CASES = CARD_FORMS.flatMap((form) => INPUTS.map(([what, input]) => ({ form, what, input })));

const json = (form: CardForm, input: DerivedCardInput): Record<string, unknown> =>
  JSON.parse(JSON.stringify(writeCard(form, input))) as Record<string, unknown>;

describe('writeCard', () => {
  it.each(CASES)('in the form $form ($what) reads back as what went in', ({ form, input }) => {
    const { era, model, problems } = readCard(JSON.stringify(writeCard(form, input)));
    expect(model).toEqual(expectedModel(form, input));
    expect(era).toBe('1.0');
    const missing = input.description === '' && !input.deprecated ? ['$.description'] : [];
    expect(problems.map(({ path }) => path)).toEqual(missing);
  });

  it('v1 is exactly a 1.0 card', () => {
    const rpc = `https://rollcall.example/a2a/${AGENT_ID}`;
    expect(json('v1', DERIVED)).toEqual({
      name: 'Ferry Times',
      description: 'Answers questions about ferries.',
      supportedInterfaces: [
        { url: `${rpc}/`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
        { url: `${rpc}/`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
        { url: rpc, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
        { url: rpc, protocolBinding: 'HTTP+JSON', protocolVersion: '0.3' },
        { url: 'rollcall.example:50051', protocolBinding: 'GRPC', protocolVersion: '1.0', tenant: AGENT_ID },
      ],
      provider: { organization: 'Harbour Office', url: 'https://harbour.example' },
      version: '2.0.0',
      documentationUrl: 'https://ferries.example/docs',
      iconUrl: 'https://ferries.example/icon.png',
      capabilities: {
        streaming: true,
        pushNotifications: true,
        extendedAgentCard: true,
        extensions: [
          { uri: 'urn:example:tides', description: 'Tides', required: true, params: { port: 'east' } },
          { uri: 'urn:example:wind' },
        ],
      },
      securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' } } },
      securityRequirements: [{ schemes: { bearer: {} } }],
      defaultInputModes: ['text/plain', 'application/json'],
      defaultOutputModes: ['text/plain', 'image/png'],
      skills: [
        {
          id: 'next',
          name: 'Next ferry',
          description: 'The next departure.',
          tags: ['ferry'],
          examples: ['When does the next ferry leave?'],
          inputModes: ['text/plain'],
        },
      ],
    });
  });

  it('v1 survives a protobuf reader and writer unchanged, which a signature over it needs', () => {
    const card = json('v1', DERIVED);
    expect(AgentCard.toJSON(AgentCard.fromJSON(card))).toEqual(card);
  });

  it('hybrid adds what 0.3 clients read', () => {
    const rpc = `https://rollcall.example/a2a/${AGENT_ID}`;
    const { capabilities, ...v1 } = json('v1', DERIVED);
    expect(json('hybrid', DERIVED)).toEqual({
      ...v1,
      capabilities: { ...(capabilities as object), stateTransitionHistory: true },
      protocolVersion: '0.3.0',
      url: `${rpc}/`,
      preferredTransport: 'JSONRPC',
      additionalInterfaces: [
        { url: `${rpc}/`, transport: 'JSONRPC' },
        { url: rpc, transport: 'HTTP+JSON' },
      ],
      supportsAuthenticatedExtendedCard: true,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'Bearer',
          bearerFormat: 'JWT',
          httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' },
        },
      },
      security: [{ bearer: [] }],
    });
  });

  it('legacy adds what early clients read', () => {
    expect(json('legacy', DERIVED)).toEqual({
      ...json('hybrid', DERIVED),
      authentication: { schemes: ['Bearer'] },
      defaultInputModes: ['text/plain', 'application/json', 'text', 'data'],
      defaultOutputModes: ['text/plain', 'image/png', 'text'],
      skills: [expect.objectContaining({ id: 'next', inputModes: ['text/plain', 'text'] })],
    });
  });

  it.each(CARD_FORMS)("never lets anything of the upstream card out that is not the derived card's (%s)", (form) => {
    const upstream = {
      ...DERIVED,
      interfaces: [{ url: 'https://upstream.example/', binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' }],
      securitySchemes: { upstream: { apiKeySecurityScheme: { location: 'header', name: 'X-Upstream' } } },
      securityRequirements: [{ schemes: { upstream: { list: [] } } }],
      signatures: [{ protected: 'upstream', signature: 'upstream' }],
      skills: [{ ...DERIVED.skills[0]!, securityRequirements: [{ schemes: { upstream: { list: [] } } }] }],
    };
    expect(JSON.stringify(writeCard(form, upstream))).not.toContain('upstream');
  });

  it.each(CARD_FORMS)('puts the notice of a deprecated agent before its description (%s)', (form) => {
    expect(json(form, { ...DERIVED, deprecated: true }).description).toBe(
      '[deprecated] Answers questions about ferries.',
    );
  });
});

describe.skipIf(!schemasPresent())("the A2A project's own schemas", () => {
  const oracles = { hybrid: ['0.2.5', '0.3.0'], legacy: ['0.1.0', '0.2.5', '0.3.0'] } as const;
  const cases = INPUTS.flatMap(([what, input]) =>
    (['hybrid', 'legacy'] as const).flatMap((form) => oracles[form].map((version) => ({ form, version, what, input }))),
  );
  it.each(cases)('of $version accepts the form $form ($what)', ({ form, version, input }) => {
    oracle(`a2a-${version}.json`)('AgentCard', json(form, input));
  });

  it('refuse a 1.0 card, so they can tell', () => {
    expect(() => oracle('a2a-0.3.0.json')('AgentCard', json('v1', DERIVED))).toThrow(/AgentCard/);
  });
});

describe('cardEtag', () => {
  it('is a strong tag of exactly this text', () => {
    expect(cardEtag('abc')).toBe('"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"');
    expect(cardEtag('abc ')).not.toBe(cardEtag('abc'));
  });
});

describe('the SDK reads over HTTP', () => {
  let server: Server;
  let origin: string;
  const base = (form: CardForm, what: string) => `${origin}/${form}/${what}/`;

  beforeAll(async () => {
    const cards = new Map(
      CASES.map(({ form, what, input }) => [`/${form}/${what}/`, JSON.stringify(writeCard(form, input))]),
    );
    server = createServer((request, response) => {
      const path = CARD_PATHS.find((known) => request.url?.endsWith(known));
      const card = path && cards.get(request.url!.slice(0, -path.length));
      response.writeHead(card ? 200 : 404, { 'content-type': 'application/json' }).end(card ?? '{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const served = CASES.flatMap((one) =>
    CARD_PATHS.flatMap((path) => [false, true].map((enabled) => ({ ...one, path, enabled }))),
  );

  it.each(served)(
    '$form ($what) at $path, with 0.3 compatibility: $enabled',
    async ({ form, what, input, path, enabled }) => {
      const resolver = new DefaultAgentCardResolver({ legacyCompat: { enabled } });
      const card = await resolver.resolve(base(form, what), path);
      const expected = expectedModel(form, input);
      expect(card).toMatchObject({
        name: expected.name,
        description: expected.description,
        version: expected.version,
        capabilities: { streaming: true, ...(input.pushNotifications ? { pushNotifications: true } : {}) },
        defaultInputModes: expect.arrayContaining([...expected.inputModes]) as unknown,
      });
      expect(card.supportedInterfaces.map((one) => [one.url, one.protocolBinding, one.protocolVersion])).toEqual(
        expected.interfaces.map((one) => [one.url, one.binding, one.protocolVersion]),
      );
      expect(card.skills.map(({ id }) => id)).toEqual(expected.skills.map(({ id }) => id));
      // The form without a hybrid's older members also goes through the SDK's protobuf reader; a hybrid is left as it is.
      const { securitySchemes } = AgentCard.fromJSON(json(form, input));
      expect(securitySchemes.bearer?.scheme?.$case).toBe(
        input.gatewayAuth === 'bearer' ? 'httpAuthSecurityScheme' : undefined,
      );
    },
  );

  it.each(served)(
    '$form ($what) at $path into a client (0.3 compatibility: $enabled)',
    async ({ form, what, path, enabled }) => {
      const cardResolver = new DefaultAgentCardResolver({ legacyCompat: { enabled } });
      const factory = new ClientFactory({ ...new ClientFactory().options, cardResolver });
      const client = await factory.createFromUrl(base(form, what), path);
      expect(client.protocolVersion).toBe('1.0');
    },
  );

  it.each(['hybrid', 'legacy'] as const)('%s with its reader of 0.3 cards', (form) => {
    const card = json(form, DERIVED);
    expect(isLegacyAgentCard(card)).toBe(false);
    const { supportedInterfaces: _, ...asOldClientsSeeIt } = card;
    expect(isLegacyAgentCard(asOldClientsSeeIt)).toBe(true);
    const read = parseLegacyAgentCard(asOldClientsSeeIt);
    expect(read.supportedInterfaces[0]).toMatchObject({
      url: DERIVED.endpoints.rpcUrl,
      protocolBinding: 'JSONRPC',
      protocolVersion: '0.3.0',
    });
    expect(read.securitySchemes.bearer?.scheme).toMatchObject({
      $case: 'httpAuthSecurityScheme',
      value: { scheme: 'Bearer', bearerFormat: 'JWT' },
    });
    expect(read.capabilities?.extendedAgentCard).toBe(true);
  });
});
