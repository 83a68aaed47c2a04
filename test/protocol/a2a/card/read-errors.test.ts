import { describe, expect, it } from 'vitest';
import { CARD_LIMITS, type CardReading, readCard } from '../../../../src/protocol/a2a/card/index.ts';
import { V03, V10 } from './golden.ts';

const read = (card: unknown): CardReading => readCard(JSON.stringify(card));
const errors = (reading: CardReading) =>
  reading.problems.filter(({ severity }) => severity === 'error').map(({ path }) => path);
const warnings = (reading: CardReading) =>
  reading.problems.filter(({ severity }) => severity === 'warning').map(({ path }) => path);

describe('errors', () => {
  it.each([
    ['name', ['$.name']],
    ['version', ['$.version']],
    ['capabilities', ['$.capabilities']],
    ['skills', ['$.skills']],
    ['url', ['$.url']],
  ])('name a missing %s of a 0.3 card', (member, paths) => {
    const reading = read({ ...V03, [member]: undefined });
    expect(errors(reading)).toEqual(paths);
    expect(reading).not.toHaveProperty('model');
  });

  it('name the endpoint that nothing declares', () => {
    expect(errors(read({ ...V10, supportedInterfaces: [] }))).toEqual(['$.supportedInterfaces']);
    expect(errors(read({}))).toEqual(['$.name', '$.version', '$.supportedInterfaces', '$.capabilities']);
  });

  it.each(['signatures', 'securitySchemes', 'additionalInterfaces'])(
    'name it in a card without any endpoint, whatever older members it has (%s)',
    (member) => {
      const { supportedInterfaces: _, ...rest } = V10;
      expect(errors(read({ ...rest, [member]: member === 'securitySchemes' ? {} : [] }))).toEqual([
        '$.supportedInterfaces',
      ]);
    },
  );

  it('name every interface when none of several can be reached', () => {
    const [first] = V10.supportedInterfaces;
    const reading = read({ ...V10, supportedInterfaces: ['ftp://a', 'b'].map((url) => ({ ...first, url })) });
    expect(errors(reading)).toEqual(['$.supportedInterfaces']);
    expect(warnings(reading)).toEqual(['$.supportedInterfaces[0].url', '$.supportedInterfaces[1].url']);
  });

  it('name a sole interface that cannot be reached', () => {
    const bad = [{ url: '/relative', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }];
    expect(errors(read({ ...V10, supportedInterfaces: bad }))).toContain('$.supportedInterfaces[0].url');
  });

  it('name the second skill with the same id', () => {
    const [skill] = V10.skills;
    expect(errors(read({ ...V10, skills: [skill, { ...skill, id: 'b' }, skill] }))).toEqual(['$.skills[2].id']);
  });

  it.each<[string, object, string]>([
    ['a number as text', { name: 7 }, '$.name'],
    ['text as a flag', { capabilities: { streaming: 'yes' } }, '$.capabilities.streaming'],
    ['an object as a list', { skills: {} }, '$.skills'],
    ['a list as an object', { provider: [] }, '$.provider'],
    ['text as a skill', { skills: ['a'] }, '$.skills[0]'],
    ['null as a skill', { skills: [null] }, '$.skills[0]'],
    [
      'a number as a tag',
      { skills: [{ id: 'a', name: 'A', description: 'a', tags: ['x', 1] }] },
      '$.skills[0].tags[1]',
    ],
    ['text as an interface', { supportedInterfaces: [...V10.supportedInterfaces, 'x'] }, '$.supportedInterfaces[3]'],
    ['a number as a scheme', { securitySchemes: { 'my key': 1 } }, '$.securitySchemes["my key"]'],
    [
      'a number as a flow',
      { securitySchemes: { o: { oauth2SecurityScheme: { flows: { implicit: 1 } } } } },
      '$.securitySchemes.o.oauth2SecurityScheme.flows.implicit',
    ],
    [
      'text as scopes',
      { securityRequirements: [{ schemes: { key: { list: 'a' } } }] },
      '$.securityRequirements[0].schemes.key.list',
    ],
    ['a number as extension', { capabilities: { extensions: [1] } }, '$.capabilities.extensions[0]'],
    ['a number as signature', { signatures: [{ protected: 1, signature: 'x' }] }, '$.signatures[0].protected'],
    ['text with a NUL', { description: 'a\0b' }, '$.description'],
    ['text with half of a surrogate pair', { description: 'a\ud800b' }, '$.description'],
    [
      'such text in what is kept as it is',
      { capabilities: { extensions: [{ uri: 'u', params: { a: '\\\0' } }] } },
      '$.capabilities.extensions[0].params',
    ],
  ])('name the place of %s', (_what, members, path) => {
    const reading = read({ ...V10, ...members });
    expect(errors(reading)).toEqual([path]);
    expect(reading).not.toHaveProperty('model');
  });

  it.each<[string, object, string]>([
    ['name', { name: 'n'.repeat(CARD_LIMITS.name + 1) }, '$.name'],
    ['description', { description: 'n'.repeat(CARD_LIMITS.description + 1) }, '$.description'],
    ['url', { documentationUrl: `https://a.example/${'n'.repeat(CARD_LIMITS.url)}` }, '$.documentationUrl'],
    [
      'list of tags',
      { skills: [{ ...V10.skills[0], tags: Array(CARD_LIMITS.tags + 1).fill('t') }] },
      '$.skills[0].tags',
    ],
    [
      'list of examples',
      { skills: [{ ...V10.skills[0], examples: Array(CARD_LIMITS.examples + 1).fill('t') }] },
      '$.skills[0].examples',
    ],
    [
      'list of skills',
      { skills: Array.from({ length: CARD_LIMITS.skills + 1 }, (_, i) => ({ ...V10.skills[0], id: `${i}` })) },
      '$.skills',
    ],
    [
      'extension',
      { capabilities: { extensions: [{ uri: 'u', params: { a: 'n'.repeat(CARD_LIMITS.opaque) } }] } },
      '$.capabilities.extensions[0].params',
    ],
  ])('name a %s that is too long', (_what, members, path) => {
    expect(errors(read({ ...V10, ...members }))).toEqual([path]);
  });

  it('are bounded in number, and never crowded out by warnings', () => {
    const skills = Array.from({ length: 400 }, (_, i) => ({ id: `${i}`, name: 'x' }));
    const reading = read({ ...V10, skills, version: 1 });
    expect(reading.problems).toHaveLength(CARD_LIMITS.problems);
    expect(reading.problems[0]).toMatchObject({ path: '$.version', severity: 'error' });
  });
});

describe('what is no card', () => {
  it.each<[string, Uint8Array | string, string]>([
    ['an HTML page', '\n<!DOCTYPE html><html><body>Sign in</body></html>', 'this is an HTML page, not a card.'],
    ['XML', '<?xml version="1.0"?><feed/>', 'this is markup (HTML or XML), not a card.'],
    ['nothing', ' \n', 'this is empty, not a card.'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00]), 'this is not UTF-8 text, so it is not JSON.'],
    ['plain text', 'it works!', 'this is not JSON'],
    ['half a document', '{"name": "x', 'this is not JSON'],
    ['a list', '[{}]', 'must be a JSON object'],
    ['null', 'null', 'must be a JSON object'],
    ['deep JSON', '['.repeat(10_000) + ']'.repeat(10_000), 'this nests deeper than a card may (64 levels).'],
    ['a deep member', `{"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, 'this nests deeper'],
    ['a deep document that never ends', '{"a":'.repeat(100_000), 'this nests deeper'],
    ['too much', ' '.repeat(CARD_LIMITS.bytes + 1), 'this is larger than a card may be'],
  ])('is told apart: %s', (_what, content, message) => {
    const reading = readCard(content);
    expect(reading).toMatchObject({ era: '1.0', problems: [{ path: '$', severity: 'error' }] });
    expect(reading.problems[0]?.message).toContain(message);
    expect(reading).not.toHaveProperty('model');
  });

  it("is never quoted: what another service answers is none of the caller's business", () => {
    expect(JSON.stringify(readCard('root:x:0:0'))).not.toContain('root');
  });

  it('does not count brackets inside text', () => {
    expect(read({ ...V10, description: '\\"[{'.repeat(100) }).problems).toEqual([]);
  });
});
