import { describe, expect, it } from 'vitest';
import { type CardReading, readCard } from '../../../../src/protocol/a2a/card/index.ts';
import { oracle, schemasPresent } from '../../../support/published-schemas.ts';
import { EARLY, GOLDEN, V02, V03, V10, V10_MODEL } from './golden.ts';

const read = (card: unknown): CardReading => readCard(JSON.stringify(card));
const errors = (reading: CardReading) =>
  reading.problems.filter(({ severity }) => severity === 'error').map(({ path }) => path);
const warnings = (reading: CardReading) =>
  reading.problems.filter(({ severity }) => severity === 'warning').map(({ path }) => path);

describe('a card of each era', () => {
  it.each(GOLDEN)('of $era reads as its model, without a problem', ({ era, card, model }) => {
    expect(read(card)).toEqual({ era, model, problems: [] });
  });

  it.each(GOLDEN)('of $era reads the same from bytes with a byte order mark', ({ era, card, model }) => {
    expect(readCard(new TextEncoder().encode(`\uFEFF${JSON.stringify(card)}`))).toEqual({ era, model, problems: [] });
  });

  it.skipIf(!schemasPresent())('is what its own schema allows (so the examples here are honest)', () => {
    oracle('a2a-0.1.0.json')('AgentCard', EARLY);
    oracle('a2a-0.2.5.json')('AgentCard', { ...V02, protocolVersion: '0.2.5' });
    oracle('a2a-0.3.0.json')('AgentCard', V03);
  });

  it('declares its era by protocolVersion where it has one', () => {
    expect(read({ ...V03, protocolVersion: '0.2.6' }).era).toBe('0.2');
    expect(read({ ...V02, protocolVersion: '0.2.5' }).model?.interfaces[0]?.protocolVersion).toBe('0.2.5');
    expect(read({ ...V03, protocolVersion: undefined }).era).toBe('0.3');
  });

  it('that says nothing of its era is guessed, with a warning', () => {
    const { authentication: _, ...plain } = EARLY;
    expect(read(plain)).toMatchObject({ era: 'early', model: { interfaces: [{ dialect: 'early' }] } });
    expect(warnings(read(plain))).toEqual(['$.protocolVersion']);
    const typed = { ...plain, description: 'x', defaultInputModes: ['text/plain'], defaultOutputModes: ['text/html'] };
    expect(read(typed)).toMatchObject({ era: '0.2', model: { interfaces: [{ dialect: '0.3' }] } });
    expect(warnings(read(typed))).toContain('$.protocolVersion');
  });

  it('takes text when an early card names no modes', () => {
    const { defaultInputModes: _i, defaultOutputModes: _o, ...bare } = EARLY;
    expect(read(bare)).toMatchObject({
      model: { inputModes: ['text/plain'], outputModes: ['text/plain'] },
      problems: [],
    });
  });

  it('asks for nothing when an early card allows the scheme "public"', () => {
    expect(read({ ...EARLY, authentication: { schemes: ['public'] } }).model?.securityRequirements).toEqual([]);
  });

  it('never keeps the credentials of an early card', () => {
    const reading = read({ ...EARLY, authentication: { schemes: ['Basic'], credentials: 'hunter2' } });
    expect(JSON.stringify(reading)).not.toContain('hunter2');
    expect(warnings(reading)).toEqual(['$.authentication.credentials']);
  });
});

describe('a hybrid card', () => {
  it('is read as 1.0, with its older endpoint as a further interface', () => {
    const reading = read({ ...V03, ...V10, supportedInterfaces: V10.supportedInterfaces.slice(0, 1) });
    expect(reading.era).toBe('1.0');
    expect(reading.model?.interfaces.map(({ binding, dialect }) => `${binding} ${dialect}`)).toEqual([
      'JSONRPC 1.0',
      'JSONRPC 0.3',
      'GRPC 0.3',
      'HTTP+JSON 0.3',
    ]);
  });

  it('lists an endpoint once, whether or not its URL ends in a slash', () => {
    const { interfaces } = read({ ...V10, url: 'https://ferries.example/a2a/rpc/', protocolVersion: '0.3.0' }).model!;
    expect(interfaces).toEqual(V10_MODEL.interfaces);
  });

  it('is read by its older members when supportedInterfaces is of no use', () => {
    const reading = read({ ...V03, supportedInterfaces: [{ protocolBinding: 'JSONRPC' }, 7] });
    expect(reading).toMatchObject({ era: '0.3', model: { interfaces: [{ dialect: '0.3' }, {}, {}] } });
    expect(warnings(reading)).toEqual(['$.supportedInterfaces']);
  });

  it('of early and 1.0 members has an early interface', () => {
    const interfaces = read({ ...EARLY, ...V10 }).model?.interfaces;
    expect(interfaces?.at(-1)).toMatchObject({ url: EARLY.url, dialect: 'early' });
  });

  it('reads a scheme that has both shapes by the newer one', () => {
    const both = { type: 'http', scheme: 'basic', httpAuthSecurityScheme: { scheme: 'Bearer' } };
    expect(read({ ...V10, securitySchemes: { both } }).model?.securitySchemes).toEqual({
      both: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
    });
  });
});

describe('leniency', () => {
  it('takes the snake_case names that ProtoJSON allows', () => {
    const snake = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(snake);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [
          key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
          snake(member),
        ]),
      );
    };
    expect(read(snake(V10))).toEqual({ era: '1.0', model: V10_MODEL, problems: [] });
  });

  it('reports at the name that the card uses', () => {
    expect(errors(read({ ...V10, default_input_modes: 7, defaultInputModes: undefined }))).toEqual([
      '$.default_input_modes',
    ]);
  });

  it('takes null and empty text as absent, and passes over unknown members', () => {
    const card = { ...V10, iconUrl: null, documentationUrl: '', security: null, 'x-colour': { deep: [1] } };
    expect(read(card)).toEqual({ era: '1.0', model: V10_MODEL, problems: [] });
  });

  it('warns of what a skill lacks, and reads it all the same', () => {
    const reading = read({ ...V10, skills: [{ id: 'a', name: 'A' }] });
    expect(warnings(reading)).toEqual(['$.skills[0].description', '$.skills[0].tags']);
    expect(reading.model?.skills).toMatchObject([{ id: 'a', description: '', tags: [] }]);
  });

  it('warns of missing modes, description and, in 1.0, skills', () => {
    const { description: _d, defaultInputModes: _i, defaultOutputModes: _o, skills: _s, ...rest } = V10;
    const reading = read(rest);
    expect(warnings(reading)).toEqual(['$.description', '$.defaultInputModes', '$.defaultOutputModes', '$.skills']);
    expect(reading.model).toMatchObject({ inputModes: ['text/plain'], skills: [] });
  });

  it('reads words as media types, once each, and warns of them after the early era', () => {
    const reading = read({ ...V10, defaultInputModes: ['text', 'TEXT/Plain', 'Image', 'hologram'] });
    expect(reading.model?.inputModes).toEqual(['text/plain', 'image/*', 'hologram']);
    expect(warnings(reading)).toEqual(['$.defaultInputModes']);
  });

  it('reads a 1.0 card without supportedInterfaces by its url', () => {
    const { supportedInterfaces: _, ...rest } = V10;
    const reading = read({ ...rest, protocolVersion: '1.0', url: 'https://ferries.example/rpc' });
    expect(reading.model?.interfaces).toEqual([
      { url: 'https://ferries.example/rpc', binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' },
    ]);
    expect(warnings(reading)).toEqual(['$.supportedInterfaces']);
  });

  it('assumes 1.0 and JSONRPC where an interface does not say', () => {
    const reading = read({ ...V10, supportedInterfaces: [{ url: 'https://ferries.example' }] });
    expect(reading.model?.interfaces).toMatchObject([{ binding: 'JSONRPC', protocolVersion: '1.0', dialect: '1.0' }]);
    expect(warnings(reading)).toEqual([
      '$.supportedInterfaces[0].protocolBinding',
      '$.supportedInterfaces[0].protocolVersion',
    ]);
  });

  it('knows the bindings in any case, and keeps others as they are', () => {
    const of = (protocolBinding: string) =>
      read({ ...V10, supportedInterfaces: [{ url: 'https://a.example', protocolBinding, protocolVersion: '1.0.1' }] });
    expect(of('jsonrpc').model?.interfaces[0]).toMatchObject({ binding: 'JSONRPC', dialect: '1.0' });
    expect(of('https://a.example/binding').model?.interfaces[0]?.binding).toBe('https://a.example/binding');
  });

  it('speaks 1.0 with an interface of a version that it does not know, and warns', () => {
    const [first] = V10.supportedInterfaces;
    for (const protocolVersion of ['2.0', 'latest']) {
      const reading = read({ ...V10, supportedInterfaces: [{ ...first, protocolVersion }] });
      expect(reading.model?.interfaces).toMatchObject([{ protocolVersion, dialect: '1.0' }]);
      expect(warnings(reading)).toEqual(['$.supportedInterfaces[0].protocolVersion']);
    }
  });

  it.each(['ferries.example:443', '[::1]:50051', 'https://ferries.example/grpc', 'dns:ferries.example:443'])(
    'takes the gRPC address %s',
    (url) => {
      const reading = read({ ...V10, supportedInterfaces: [{ url, protocolBinding: 'GRPC', protocolVersion: '1.0' }] });
      expect(reading).toMatchObject({ model: { interfaces: [{ url, binding: 'GRPC' }] }, problems: [] });
    },
  );

  it('leaves out a security scheme of a kind that A2A does not name, and warns of a flow without its URL', () => {
    const implicit = { oauth2SecurityScheme: { flows: { implicit: { scopes: {} } } } };
    const reading = read({ ...V10, securitySchemes: { ...V10.securitySchemes, odd: { type: 'palm' }, implicit } });
    expect(Object.keys(reading.model?.securitySchemes ?? {})).toEqual(['key', 'device', 'implicit']);
    expect(warnings(reading)).toEqual([
      '$.securitySchemes.odd',
      '$.securitySchemes.implicit.oauth2SecurityScheme.flows.implicit.authorizationUrl',
    ]);
  });

  it('leaves out a provider without a name, and the URL of a provider that is none', () => {
    expect(read({ ...V10, provider: { url: 'https://a.example' } }).model).not.toHaveProperty('provider');
    expect(read({ ...V10, provider: { organization: 'A', url: 'a.example' } })).toMatchObject({
      model: { provider: { organization: 'A' } },
      problems: [{ path: '$.provider.url', severity: 'warning' }],
    });
  });

  it('leaves out a further interface, and links, that are no web URLs', () => {
    const [first] = V10.supportedInterfaces;
    const ftp = { url: 'ftp://ferries.example', protocolBinding: 'JSONRPC', protocolVersion: '1.0' };
    const secret = { ...ftp, url: 'https://user:hunter2@ferries.example' };
    const reading = read({ ...V10, supportedInterfaces: [first, ftp, secret], iconUrl: 'javascript:alert(1)' });
    expect(reading.model?.interfaces).toHaveLength(1);
    expect(reading.model).not.toHaveProperty('iconUrl');
    expect(warnings(reading)).toEqual(['$.iconUrl', '$.supportedInterfaces[1].url', '$.supportedInterfaces[2].url']);
    expect(JSON.stringify(reading)).not.toContain('hunter2');
  });

  it('warns of a requirement that no scheme describes', () => {
    expect(warnings(read({ ...V10, securityRequirements: [{ schemes: { ghost: {} } }] }))).toEqual([
      '$.securityRequirements',
    ]);
  });

  it('reads `security` in a 1.0 card, in either shape', () => {
    const { securityRequirements: _, ...rest } = V10;
    for (const security of [[{ key: ['a'] }], [{ schemes: { key: { list: ['a'] } } }]]) {
      expect(read({ ...rest, security }).model?.securityRequirements).toEqual([{ schemes: { key: { list: ['a'] } } }]);
    }
  });
});
