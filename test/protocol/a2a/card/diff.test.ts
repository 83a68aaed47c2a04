import { describe, expect, it } from 'vitest';
import { type CardChange, type CardModel, diffCards } from '../../../../src/protocol/a2a/card/index.ts';
import { V10_MODEL as CARD } from './golden.ts';

const [SKILL] = CARD.skills;
const SECOND = { ...SKILL!, id: 'tides', name: 'Tides' };
const [FIRST_INTERFACE, ...OTHER_INTERFACES] = CARD.interfaces;
const caps = (members: Partial<CardModel['capabilities']>) => ({ capabilities: { ...CARD.capabilities, ...members } });
const asks = (...alternatives: Record<string, string[]>[]) => ({
  securityRequirements: alternatives.map((schemes) => ({
    schemes: Object.fromEntries(Object.entries(schemes).map(([name, list]) => [name, { list }])),
  })),
});
const skill = (members: Partial<CardModel['skills'][number]>) => ({ skills: [{ ...SKILL!, ...members }] });

const brief = ({ path, kind, breaking }: CardChange) => `${breaking ? 'BREAKING ' : ''}${kind} ${path}`;
const NEXT = '$.skills[?@.id=="next"]';
const REST = `$.interfaces[?@.binding=="JSONRPC" && @.url=="https://ferries.example/a2a/rpc" && @.protocolVersion==`;

describe('diffCards', () => {
  it.each<[string, Partial<CardModel>, Partial<CardModel>, string[]]>([
    ['nothing', {}, {}, []],
    [
      'wording',
      { name: 'A', description: 'b', version: '1' },
      { name: 'B', description: 'c', version: '2' },
      ['changed $.name', 'changed $.description', 'changed $.version'],
    ],
    ['a new link', {}, { iconUrl: 'https://a.example/i.png' }, ['added $.iconUrl']],
    ["the provider's URL", {}, { provider: { organization: 'Harbour Office' } }, ['removed $.provider.url']],
    ['a skill that is gone', { skills: [SKILL!, SECOND] }, {}, ['BREAKING removed $.skills[?@.id=="tides"]']],
    ['a new skill', {}, { skills: [SECOND, SKILL!] }, ['added $.skills[?@.id=="tides"]']],
    ['the order of skills', { skills: [SKILL!, SECOND] }, { skills: [SECOND, SKILL!] }, []],
    [
      'the wording of a skill',
      {},
      skill({ name: 'X', tags: ['x'], examples: ['y'] }),
      [`changed ${NEXT}.name`, `changed ${NEXT}.tags`, `changed ${NEXT}.examples`],
    ],
    [
      'a mode that is gone',
      { inputModes: ['text/plain', 'image/png'] },
      {},
      ['BREAKING removed $.inputModes[?@=="image/png"]'],
    ],
    ['a new mode', {}, { outputModes: ['image/png', 'text/plain'] }, ['added $.outputModes[?@=="image/png"]']],
    [
      'a skill that names fewer modes than the card',
      { inputModes: ['text/plain', 'a/b'] },
      { inputModes: ['text/plain', 'a/b'], ...skill({ inputModes: ['a/b'] }) },
      [`BREAKING added ${NEXT}.inputModes[?@=="a/b"]`],
    ],
    [
      "a skill that names the card's modes",
      {},
      skill({ inputModes: ['text/plain'] }),
      [`added ${NEXT}.inputModes[?@=="text/plain"]`],
    ],
    [
      "a skill that goes back to the card's modes",
      skill({ inputModes: ['text/plain'] }),
      {},
      [`removed ${NEXT}.inputModes[?@=="text/plain"]`],
    ],
    [
      'a skill that loses a mode',
      skill({ outputModes: ['a/b', 'c/d'] }),
      skill({ outputModes: ['a/b'] }),
      [`BREAKING removed ${NEXT}.outputModes[?@=="c/d"]`],
    ],
    ['an interface that is gone', {}, { interfaces: CARD.interfaces.slice(0, 2) }, [`BREAKING removed ${REST}"0.3"]`]],
    ['a new interface', { interfaces: CARD.interfaces.slice(0, 2) }, {}, [`added ${REST}"0.3"]`]],
    [
      'another version in the preferred interface',
      {},
      { interfaces: [OTHER_INTERFACES[1]!, FIRST_INTERFACE!, OTHER_INTERFACES[0]!] },
      ['BREAKING changed $.interfaces[0].protocolVersion'],
    ],
    [
      'a patch of the version',
      {},
      { interfaces: [{ ...FIRST_INTERFACE!, protocolVersion: '1.0.1' }, ...OTHER_INTERFACES] },
      ['changed $.interfaces[0].protocolVersion', `changed ${REST}"1.0"]`],
    ],
    [
      'a capability that is switched off',
      caps({ pushNotifications: true }),
      caps({ streaming: false }),
      ['BREAKING changed $.capabilities.streaming', 'BREAKING changed $.capabilities.pushNotifications'],
    ],
    [
      'a capability that is switched on',
      {},
      caps({ pushNotifications: true, stateTransitionHistory: true }),
      ['changed $.capabilities.pushNotifications', 'changed $.capabilities.stateTransitionHistory'],
    ],
    ['a new extension', caps({ extensions: [] }), {}, ['added $.capabilities.extensions[?@.uri=="urn:example:tides"]']],
    [
      'a new required extension',
      caps({ extensions: [] }),
      caps({ extensions: [{ uri: 'u', required: true }] }),
      ['BREAKING added $.capabilities.extensions[?@.uri=="u"]'],
    ],
    [
      'an extension that is now required',
      caps({ extensions: [{ uri: 'u', required: false }] }),
      caps({ extensions: [{ uri: 'u', required: true }] }),
      ['BREAKING changed $.capabilities.extensions[?@.uri=="u"]'],
    ],
    [
      'an extension that is gone',
      caps({ extensions: [{ uri: 'u', required: true }] }),
      caps({ extensions: [] }),
      ['removed $.capabilities.extensions[?@.uri=="u"]'],
    ],
    ['security where there was none', asks(), asks({ key: [] }), ['BREAKING added $.securityRequirements']],
    ['no security where there was some', asks({ key: [] }), asks(), ['removed $.securityRequirements']],
    [
      'a second scheme beside the first',
      asks({ key: [] }),
      asks({ key: [], device: [] }),
      ['BREAKING changed $.securityRequirements'],
    ],
    [
      'a second scheme as alternative',
      asks({ key: [] }),
      asks({ key: [] }, { device: [] }),
      ['changed $.securityRequirements'],
    ],
    [
      'an alternative that is gone',
      asks({ key: [] }, { device: [] }),
      asks({ device: [] }),
      ['BREAKING changed $.securityRequirements'],
    ],
    [
      'more scopes',
      asks({ key: ['read'] }),
      asks({ key: ['read', 'write'] }),
      ['BREAKING changed $.securityRequirements'],
    ],
    ['fewer scopes', asks({ key: ['read', 'write'] }), asks({ key: ['write'] }), ['changed $.securityRequirements']],
    [
      'an alternative that nobody needed',
      asks({ key: [] }, { key: [], device: [] }),
      asks({ key: [] }),
      ['changed $.securityRequirements'],
    ],
    [
      'the order of alternatives and scopes',
      asks({ key: ['a', 'b'] }, { device: [] }),
      asks({ device: [] }, { key: ['b', 'a'] }),
      [],
    ],
    [
      'security for a skill',
      {},
      skill({ securityRequirements: asks({ key: ['admin'] }).securityRequirements }),
      [`BREAKING added ${NEXT}.securityRequirements`],
    ],
    [
      "the card's own security said again for a skill",
      {},
      skill({ securityRequirements: CARD.securityRequirements }),
      [`added ${NEXT}.securityRequirements`],
    ],
    [
      'how a required scheme works',
      {},
      { securitySchemes: { ...CARD.securitySchemes, key: { apiKeySecurityScheme: { location: 'query', name: 'k' } } } },
      ['BREAKING changed $.securitySchemes.key'],
    ],
    [
      'the wording of a scheme',
      {},
      {
        securitySchemes: {
          ...CARD.securitySchemes,
          key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key', description: 'Ask us.' } },
        },
      },
      ['changed $.securitySchemes.key'],
    ],
    [
      'another scheme, with an odd name',
      {},
      { securitySchemes: { ...CARD.securitySchemes, 'a b': { mtlsSecurityScheme: {} } } },
      ['added $.securitySchemes["a b"]'],
    ],
    ['signatures', {}, { signatures: [] }, ['changed $.signatures']],
  ])('reports %s', (_what, before, after, expected) => {
    const changes = diffCards({ ...CARD, ...before }, { ...CARD, ...after });
    expect(changes.map(brief)).toEqual(expected);
    for (const { breaking, reason } of changes) expect(typeof reason).toBe(breaking ? 'string' : 'undefined');
  });

  it('carries both values and a reason', () => {
    expect(diffCards({ ...CARD, ...asks() }, { ...CARD, ...asks({ key: ['read'] }) })).toEqual([
      {
        path: '$.securityRequirements',
        kind: 'added',
        before: undefined,
        after: [{ schemes: { key: { list: ['read'] } } }],
        breaking: true,
        reason: 'callers that present nothing are no longer let in',
      },
    ]);
  });
});
