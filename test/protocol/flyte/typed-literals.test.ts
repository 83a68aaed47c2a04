import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiteralMap } from '../../../src/protocol/flyte/generated/flyteidl/core/literals.ts';
import { LiteralType } from '../../../src/protocol/flyte/generated/flyteidl/core/types.ts';
import { fromLiterals } from '../../../src/protocol/flyte/literals.ts';
import { isShape, literalOf, type Shape, shapeOf } from '../../../src/protocol/flyte/typed-literals.ts';
import { core } from '../../flyte/support/published.ts';

/** What Flyte reads of a value that was written as that shape: over the wire and back. */
function read(value: unknown, shape: Shape): unknown {
  const bytes = LiteralMap.encode({ literals: { x: literalOf(value, shape, 'x') } }).finish();
  return fromLiterals(LiteralMap.decode(bytes))['x'];
}

/** A type as Flyte's own classes write it. */
const typeOf = (type: object): LiteralType => LiteralType.decode(core.LiteralType.encode(type).finish());

describe('the shape of a type', () => {
  const S = core.SimpleType;
  it.each([
    [{ simple: S.INTEGER }, 'integer'],
    [{ simple: S.FLOAT }, 'float'],
    [{ simple: S.STRING }, 'string'],
    [{ simple: S.BOOLEAN }, 'boolean'],
    [{ simple: S.DATETIME }, 'datetime'],
    [{ simple: S.DURATION }, 'duration'],
    [{ simple: S.STRUCT }, 'struct'],
    [{ simple: S.NONE }, 'any'],
    [{ enumType: { values: ['a'] } }, 'string'],
    [{ collectionType: { simple: S.INTEGER } }, { list: 'integer' }],
    [{ mapValueType: { collectionType: { simple: S.STRUCT } } }, { map: { list: 'struct' } }],
    [{ blob: {} }, 'any'],
    [{}, 'any'],
  ])('of %j is %j', (type, shape) => {
    expect(shapeOf(typeOf(type))).toEqual(shape);
    expect(isShape(JSON.parse(JSON.stringify(shape)))).toBe(true);
  });

  it.each(['text', null, 7, {}, [], { list: 'text' }, { map: { list: null } }])('is not %j', (value) => {
    expect(isShape(value)).toBe(false);
  });

  it('is not one without end', () => {
    let deep: object | string = 'integer';
    for (let i = 0; i < 1_000; i += 1) deep = { list: deep };
    expect(isShape(deep)).toBe(false);
  });
});

describe('a value as a literal', () => {
  it.each([
    [7, 'integer', 7n],
    [' +7 ', 'integer', 7n],
    ['-9223372036854775808', 'integer', -(2n ** 63n)],
    ['0.5', 'float', 0.5],
    [3, 'float', 3],
    ['NaN', 'float', Number.NaN],
    [true, 'boolean', true],
    ['false', 'boolean', false],
    ['text', 'string', 'text'],
    [{ a: 1 }, 'string', '{"a":1}'],
    [null, 'string', 'null'],
    ['2026-01-02T03:04:05.678Z', 'datetime', new Date('2026-01-02T03:04:05.678Z')],
    [1.5, 'duration', 1.5],
    ['90s', 'duration', 90],
    [-0.25, 'duration', -0.25],
    [{ a: [1, 'b', null] }, 'struct', { a: [1, 'b', null] }],
    ['{"a":{"b":true}}', 'struct', { a: { b: true } }],
    [['1', 2], { list: 'integer' }, [1n, 2n]],
    ['[1, 2]', { list: 'float' }, [1, 2]],
    [[], { list: 'string' }, []],
    [{ a: [1], b: [] }, { map: { list: 'integer' } }, { a: [1n], b: [] }],
    [7, 'any', 7n],
    [7.5, 'any', 7.5],
    [[1, 'a', null, { b: true }], 'any', [1n, 'a', null, { b: true }]],
  ] as const)('%j as %j', (value, shape, expected) => {
    expect(read(value, shape as Shape)).toEqual(expected);
  });

  it.each([
    ['7.5', 'integer'],
    ['', 'integer'],
    ['9223372036854775808', 'integer'],
    [1e21, 'integer'],
    [null, 'integer'],
    ['seven', 'float'],
    ['', 'float'],
    [[], 'float'],
    ['yes', 'boolean'],
    [1, 'boolean'],
    ['yesterday', 'datetime'],
    [0, 'datetime'],
    ['soon', 'duration'],
    [1e18, 'duration'],
    ['text', 'struct'],
    [[1], 'struct'],
    [7, { list: 'integer' }],
    [['a'], { list: 'integer' }],
    [[], { map: 'integer' }],
  ] as const)('%j is refused as %j', (value, shape) => {
    expect(() => literalOf(value, shape as Shape, 'outputs.o0')).toThrow(
      expect.objectContaining({
        code: 'UPSTREAM_INVALID',
        message: expect.stringMatching(/^outputs\.o0.*cannot be read as /),
      }),
    );
  });

  it('is the same when it is given as text', () => {
    const cases = fc.oneof(
      fc.tuple(fc.integer(), fc.constant<Shape>('integer')),
      fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant<Shape>('float')),
      fc.tuple(fc.array(fc.integer()), fc.constant<Shape>({ list: 'integer' })),
      fc.tuple(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.boolean()), fc.constant<Shape>({ map: 'boolean' })),
    );
    fc.assert(
      fc.property(cases, ([value, shape]) => {
        // JSON has no negative zero.
        expect(read(JSON.stringify(value), shape)).toEqual(read(JSON.parse(JSON.stringify(value)), shape));
      }),
    );
  });

  it('of any JSON is a literal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => read(value, 'any')).not.toThrow();
        expect(typeof read(value, 'string')).toBe('string');
      }),
    );
  });
});
