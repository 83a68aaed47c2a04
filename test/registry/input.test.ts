import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromDisplayType, storedType, toDisplayType } from '../../src/registry/display-type.ts';
import { check } from '../../src/registry/input/check.ts';
import { LIMITS } from '../../src/registry/input/limits.ts';
import { agentPatchSchema, agentSchema, providerSchema, skillPatchSchema } from '../../src/registry/input/schemas.ts';

const agent = (more: object) => ({ name: 'Reader', executionType: 'api', ...more });
const skill = (more: object = {}) => ({ key: 'read', name: 'Read', ...more });
const over = (max: number): string => 'x'.repeat(max + 1);
const deep = (levels: number): unknown => (levels === 0 ? 'x' : { inner: deep(levels - 1) });

describe('a new agent is refused, naming the field', () => {
  test.each<[string, object, string, RegExp]>([
    ['without a name', { name: undefined }, 'input.name', /string/],
    ['with a blank name', { name: ' \t ' }, 'input.name', /must not be empty/],
    ['with a name of two lines', { name: 'a\nb' }, 'input.name', /one line/],
    ['with a NUL', { name: 'a\0b' }, 'input.name', /control characters/],
    ['with an escape', { description: 'a\u001bb' }, 'input.description', /control characters/],
    ['with half of a surrogate pair', { description: 'a\ud800b' }, 'input.description', /unpaired surrogate/],
    ['with a number for a name', { name: 7 }, 'input.name', /expected string/],
    ['with text for a flag', { streaming: 'yes' }, 'input.streaming', /expected boolean/],
    ['with an unknown field', { colour: 'red' }, 'input', /unknown field "colour"/],
    ['with a long name', { name: over(LIMITS.name) }, 'input.name', /200/],
    ['with a long description', { description: over(LIMITS.description) }, 'input.description', /10000/],
    ['with a long version', { version: over(LIMITS.version) }, 'input.version', /./],
    ['with an unknown execution type', { executionType: 'vm' }, 'input.executionType', /docker/],
    ['with an unknown status', { status: 'gone' }, 'input.status', /active/],
    ['with an unknown visibility', { visibility: 'secret' }, 'input.visibility', /private/],
    ['with a type of two words', { type: 'Large Model' }, 'input.type', /lower-case word/],
    ['with a handle in capitals', { handle: 'Reader' }, 'input.handle', /lower-case/],
    ['with a handle that ends in a dash', { handle: 'a-' }, 'input.handle', /lower-case/],
    ['with a long handle', { handle: over(LIMITS.handle) }, 'input.handle', /64/],
    ['with a relative url', { url: '/agent' }, 'input.url', /absolute http/],
    ['with a file url', { url: 'file:///etc/passwd' }, 'input.url', /absolute http/],
    ['with a password in the url', { url: 'http://a:b@host/' }, 'input.url', /user name or password/],
    ['with a line break in the url', { url: 'http://host/\nx' }, 'input.url', /blanks or control/],
    ['with a NUL in the url', { iconUrl: 'http://host/\0' }, 'input.iconUrl', /blanks or control/],
    ['with half of a pair in the url', { documentationUrl: 'http://host/\udc00' }, 'input.documentationUrl', /blanks/],
    ['with a long url', { url: `http://host/${over(LIMITS.url)}` }, 'input.url', /2048/],
    ['with an empty mode', { inputModes: ['text/plain', ' '] }, 'input.inputModes[1]', /must not be empty/],
    ['with a list as a word', { capabilities: 'search' }, 'input.capabilities', /array/],
    ['with too many capabilities', { capabilities: Array(101).fill('x') }, 'input.capabilities', /100/],
    [
      'with two skills of one key',
      { skills: [skill(), skill({ key: 'other' }), skill()] },
      'input.skills[2].key',
      /also the key of skill 0/,
    ],
    [
      'with two skills whose keys differ in blanks',
      { skills: [skill(), skill({ key: ' read ' })] },
      'input.skills[1].key',
      /also/,
    ],
    ['with an unknown field in a skill', { skills: [skill({ id: '1' })] }, 'input.skills[0]', /unknown field "id"/],
    [
      'with a long example',
      { skills: [skill({ examples: ['a', over(LIMITS.example)] })] },
      'input.skills[0].examples[1]',
      /2000/,
    ],
    [
      'with a category twice',
      { flyteName: 'f', taskCategories: [{ name: 'a' }, { name: 'a', version: 0 }] },
      'input.taskCategories[1]',
      /listed twice/,
    ],
    [
      'with a category of a negative version',
      { taskCategories: [{ name: 'a', version: -1 }] },
      'input.taskCategories[0].version',
      /./,
    ],
    [
      'with a provider twice',
      { provider: { name: 'P' }, providerId: '0190c5f0-0000-7000-8000-000000000000' },
      'input.provider',
      /not both/,
    ],
    ['with a provider id that is none', { providerId: 'p1' }, 'input.providerId', /UUID/i],
    ['with an unknown sign-in', { authentication: { type: 'magic' } }, 'input.authentication.type', /./],
    [
      'with a token of two lines',
      { authentication: { type: 'bearer', token: 'a\r\nX: y' } },
      'input.authentication.token',
      /one line/,
    ],
    [
      'with a colon in a user name',
      { authentication: { type: 'basic', username: 'a:b' } },
      'input.authentication.username',
      /colon/,
    ],
    [
      'with a token url that is none',
      { authentication: { type: 'oauth2', tokenUrl: 'ftp://host' } },
      'input.authentication.tokenUrl',
      /http/,
    ],
    [
      'with a NUL deep in an extension',
      { extensions: [{ uri: 'u', params: { a: ['\0'] } }] },
      'input.extensions[0]',
      /NUL/,
    ],
    [
      'with half of a pair as an extension key',
      { extensions: [{ uri: 'u', params: { '\ud800': 1 } }] },
      'input.extensions[0]',
      /surrogate/,
    ],
    [
      'with a bottomless extension',
      { extensions: [{ uri: 'u', params: deep(100) }] },
      'input.extensions[0]',
      /deeper than/,
    ],
    [
      'with a huge extension',
      { extensions: [{ uri: 'u', params: over(70_000) }] },
      'input.extensions[0]',
      /larger than/,
    ],
    [
      'with a NUL in the url of an interface',
      { interfaces: [{ url: 'h:1\0', binding: 'GRPC', protocolVersion: '1.0', dialect: '1.0' }] },
      'input.interfaces[0].url',
      /control/,
    ],
  ])('%s', (_what, more, field, message) => {
    expect(() => check(agentSchema, agent(more))).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        field,
        message: expect.stringMatching(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}: `)),
      }),
    );
    expect(() => check(agentSchema, agent(more))).toThrow(message);
  });
});

test('the messages of an input never repeat a secret', () => {
  const work = () => check(agentSchema, agent({ authentication: { type: 'bearer', token: 'planted-secret\n' } }));
  expect(work).toThrow(expect.objectContaining({ message: expect.not.stringContaining('planted-secret') }));
});

test('all problems are told at once, twenty at most', () => {
  const input = agent({ name: '', skills: Array.from({ length: 30 }, (_, i) => ({ key: `k${i}`, name: '' })) });
  let problems: { field: string }[] = [];
  try {
    check(agentSchema, input);
  } catch (error) {
    problems = (error as { details: { problems: typeof problems } }).details.problems;
  }
  expect(problems).toHaveLength(20);
  expect(problems.slice(0, 3).map((p) => p.field)).toEqual([
    'input.name',
    'input.skills[0].name',
    'input.skills[1].name',
  ]);
});

test('what is at its limit is taken; blanks around words and repeats in lists are not kept', () => {
  const checked = check(
    agentSchema,
    agent({
      name: `  ${'x'.repeat(LIMITS.name - 4)}  `,
      description: 'é'.repeat(LIMITS.description),
      capabilities: ['b', ' a ', 'b'],
      skills: [skill({ tags: ['t', 't'] })],
    }),
  );
  expect(checked.name).toBe('x'.repeat(LIMITS.name - 4));
  expect(checked.capabilities).toEqual(['b', 'a']);
  expect(checked.skills[0]!.tags).toEqual(['t']);
});

test('a patch takes any part, and refuses fields that registering knows and changing does not', () => {
  expect(check(agentPatchSchema, {})).toEqual({});
  expect(check(agentPatchSchema, { url: null, version: '' })).toEqual({ url: null, version: '' });
  expect(() => check(agentPatchSchema, { skills: [] })).toThrow(/unknown field "skills"/);
  expect(() => check(agentPatchSchema, { name: null })).toThrow(expect.objectContaining({ field: 'input.name' }));
  expect(() => check(skillPatchSchema, { position: 1 })).toThrow(/unknown field "position"/);
});

test('a provider url that no index could hold is refused', () => {
  expect(() => check(providerSchema, { name: 'P', url: `https://p.example/${'€'.repeat(700)}` })).toThrow(
    expect.objectContaining({ field: 'input.url' }),
  );
});

describe('types and what is shown for them', () => {
  const type = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);

  test('"text" shows as "llm", and "llm" stands for "text"', () => {
    expect(toDisplayType('text')).toBe('llm');
    expect(fromDisplayType('llm')).toBe('text');
    expect(toDisplayType('image')).toBe('image');
  });

  test('the table is total and one to one, in both directions', () => {
    fc.assert(
      fc.property(fc.oneof(type, fc.constantFrom('llm', 'text')), (word) => {
        const stored = storedType(word);
        expect(fromDisplayType(toDisplayType(stored))).toBe(stored);
        expect(toDisplayType(fromDisplayType(toDisplayType(stored)))).toBe(toDisplayType(stored));
        expect(storedType(stored)).toBe(stored);
      }),
    );
  });
});
