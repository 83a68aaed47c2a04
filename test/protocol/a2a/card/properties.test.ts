import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CARD_FORMS,
  type CardReading,
  diffCards,
  normaliseMode,
  readCard,
  writeCard,
} from '../../../../src/protocol/a2a/card/index.ts';
import { anyModel, derivedInput, expectedModel } from './derived.ts';
import { GOLDEN } from './golden.ts';

/** What holds for every reading, whatever was read. */
function expectSound(reading: CardReading): void {
  const failed = reading.problems.some(({ severity }) => severity === 'error');
  expect('model' in reading).toBe(!failed);
  for (const { path, message } of reading.problems) {
    expect(path).toMatch(/^\$/);
    expect(message).not.toBe('');
  }
  if (!reading.model) return;
  expect(reading.model.interfaces.length).toBeGreaterThan(0);
  expect(new Set(reading.model.skills.map(({ id }) => id)).size).toBe(reading.model.skills.length);
  expect(diffCards(reading.model, reading.model)).toEqual([]);
}

const encoder = new TextEncoder();
const GOLDEN_BYTES = GOLDEN.map(({ card }) => encoder.encode(JSON.stringify(card)));

/** Every place in a JSON value, as the keys that lead there. */
function places(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => places(member, [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

describe('readCard', () => {
  it('never throws on any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => expectSound(readCard(JSON.stringify(value)))));
  });

  it('never throws on any text or bytes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expectSound(readCard(text))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectSound(readCard(bytes))));
  });

  it('never throws on a card with some bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...GOLDEN_BYTES),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (card, changes) => {
          const bytes = Uint8Array.from(card);
          for (const [position, byte] of changes) bytes[position % bytes.length] = byte;
          expectSound(readCard(bytes));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws on a card with any member replaced by any value', () => {
    const odd = fc.oneof(
      fc.constantFrom(null, '', 0, -1, 1e308, true, [], {}, [null], [[]], '__proto__', { __proto__: null }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const wherever = fc
      .constantFrom(...GOLDEN)
      .chain(({ card }) => fc.record({ card: fc.constant(card), place: fc.constantFrom(...places(card)), value: odd }));
    fc.assert(
      fc.property(wherever, ({ card, place, value }) => {
        expectSound(readCard(JSON.stringify(replaced(card, place, value))));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not misled by the names that objects inherit', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const reading = readCard(
      `{${names.map((name) => `"${name}": {"type": "http", "scheme": "x"}`).join(',')}, "name": "x", "version": "1",
        "capabilities": {}, "skills": [], "url": "http://a.example", "protocolVersion": "0.3.0",
        "securitySchemes": {${names.map((name) => `"${name}": {"type": "http", "scheme": "x"}`).join(',')}}}`,
    );
    expect(Object.keys(reading.model?.securitySchemes ?? {})).toEqual(names);
  });
});

describe('normaliseMode', () => {
  it('is total, and stable when applied twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (mode) => {
        expect(normaliseMode(normaliseMode(mode))).toBe(normaliseMode(mode));
      }),
    );
  });
});

describe('writeCard', () => {
  it.each(CARD_FORMS)('gives back, in the form %s, all that the form can carry', (form) => {
    fc.assert(
      fc.property(derivedInput, (input) => {
        const { model, problems } = readCard(JSON.stringify(writeCard(form, input)));
        expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(model).toEqual(expectedModel(form, input));
      }),
    );
  });
});

describe('diffCards', () => {
  const OPPOSITE = { added: 'removed', removed: 'added', changed: 'changed' } as const;

  it('finds nothing between a card and itself', () => {
    fc.assert(
      fc.property(anyModel, (card) => {
        expect(diffCards(card, structuredClone(card))).toEqual([]);
      }),
    );
  });

  it('finds the same places in both directions, with the opposite change', () => {
    fc.assert(
      fc.property(anyModel, anyModel, (a, b) => {
        const there = diffCards(a, b).map(({ path, kind, before, after }) => ({ path, kind, before, after }));
        const back = diffCards(b, a).map(({ path, kind, before, after }) => {
          return { path, kind: OPPOSITE[kind], before: after, after: before };
        });
        const byPath = (x: { path: string }, y: { path: string }) => (x.path < y.path ? -1 : x.path > y.path ? 1 : 0);
        expect(there.sort(byPath)).toEqual(back.sort(byPath));
        expect(new Set(there.map(({ path }) => path)).size).toBe(there.length);
      }),
    );
  });

  it('finds nothing breaking in pure additions', () => {
    fc.assert(
      fc.property(anyModel, anyModel, (card, other) => {
        const more: typeof card = {
          ...card,
          skills: [...card.skills, ...other.skills.filter(({ id }) => !card.skills.some((skill) => skill.id === id))],
          inputModes: [...new Set([...card.inputModes, ...other.inputModes])],
          interfaces: card.interfaces.length === 0 ? [] : [...card.interfaces, ...other.interfaces],
          description: other.description,
        };
        expect(diffCards(card, more).filter(({ breaking }) => breaking)).toEqual([]);
      }),
    );
  });
});
