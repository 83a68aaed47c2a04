import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toTsQuery } from '../../src/registry/search-index.ts';
import { DRIVERS } from '../support/database.ts';
import { sharedRegistry, someone } from '../support/registry.ts';

test('words become a query of prefixes, and nothing in them is query syntax', () => {
  expect(toTsQuery('Invoice  rea')).toBe(`'Invoice':* & 'rea':*`);
  expect(toTsQuery(`a' | !b:* <-> (c)`)).toBe(`'a':* & 'b':* & 'c':*`);
  expect(toTsQuery(' -- ?! ')).toBeNull();
});

describe.each(DRIVERS)('search (%s)', (kind) => {
  const shared = sharedRegistry(kind);
  const finds = async (me: ReturnType<typeof someone>, search: string): Promise<string[]> =>
    (await shared().registry.listAgents(me, { filter: { owner: me.subject }, search })).items.map(
      ({ item }) => item.handle,
    );

  test('finds an agent by the beginning of any of its words, wherever they are', async () => {
    const me = someone();
    const { handle } = await shared().agent(me, {
      name: 'Invoice Reader',
      handle: `inv-reader-${me.subject.slice(-6)}`,
      description: 'Reads bills (PDF/A-3), e.g. from mail.example.org; costs 3.14€ “per” page—mostly…',
      capabilities: ['optical-recognition'],
      skills: [
        {
          key: 'line_items',
          name: 'Extract lines',
          description: 'Tabular',
          tags: ['bookkeeping'],
          examples: ['What is the TOTAL?'],
        },
      ],
    });
    await shared().agent(me, { name: 'Nothing of it' });
    for (const word of [
      'invoice',
      'INVO',
      'reader inv',
      'r',
      'inv-reader',
      'bills',
      'pdf/a-3',
      'mail.example.org',
      'example',
      'org',
      '3.14',
      '14',
      'per',
      'page',
      'mostly',
      'optical-rec',
      'recognition',
      'line_items',
      'items',
      'extract',
      'tabular',
      'bookkeep',
      'total',
      'what is',
      `  invoice\n(reader)!  `,
    ])
      expect([word, await finds(me, word)]).toEqual([word, [handle]]);
    for (const word of ['nvoice', 'invoicex', 'invoice zebra', 'eader', '???'])
      expect([word, await finds(me, word)]).toEqual([word, []]);
  });

  test('finds words of other alphabets, in any case and either Unicode form', async () => {
    const me = someone();
    const { handle } = await shared().agent(me, {
      name: 'Überprüfung',
      description: 'cafe\u0301 ЗДРАВСТВУЙ 東京 データ Ελλάδα',
    });
    for (const word of [
      'überprüf',
      'ÜBER',
      'u\u0308ber',
      'café',
      'caf\u00e9',
      'cafe\u0301',
      'здрав',
      '東京',
      'データ',
      'ελλάδα',
    ])
      expect([word, await finds(me, word)]).toEqual([word, [handle]]);
  });

  test('follows changes of the agent and of its skills', async () => {
    const { registry, agent } = shared();
    const me = someone();
    const made = await agent(me, { name: 'Before', handle: `h-${me.subject.slice(-6)}` });
    await registry.updateAgent(me, made.id, { name: 'After' });
    const skill = await registry.addSkill(me, made.id, { key: 'k', name: 'Juggling' });
    expect([await finds(me, 'before'), await finds(me, 'after juggling')]).toEqual([[], [made.handle]]);
    await registry.updateSkill(me, skill.id, { name: 'Swimming' });
    expect([await finds(me, 'juggling'), await finds(me, 'swimming')]).toEqual([[], [made.handle]]);
    await registry.removeSkill(me, skill.id);
    expect(await finds(me, 'swimming')).toEqual([]);
  });

  test('puts a match in the name before one in skills, and that before one in texts', async () => {
    const { agent } = shared();
    const me = someone();
    const text = await agent(me, { name: 'One', skills: [{ key: 'k', name: 'K', description: 'about whales' }] });
    const described = await agent(me, { name: 'Two', description: 'whales' });
    const skill = await agent(me, { name: 'Three', skills: [{ key: 'whales', name: 'K' }] });
    const name = await agent(me, { name: 'Whales' });
    expect(await finds(me, 'whale')).toEqual([name, skill, described, text].map((a) => a.handle));
  });

  test('an order by relevance needs words', async () => {
    const orderBy = { field: 'relevance', descending: true } as const;
    const work = shared().registry.listAgents(someone(), { orderBy, search: '  ' });
    await expect(work).rejects.toThrow(expect.objectContaining({ code: 'INVALID_INPUT', field: 'orderBy' }));
  });

  test('any text is a search, however odd or long', async () => {
    const { registry } = shared();
    const me = someone();
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('x'.repeat(5000), '丽'.repeat(5000), 'a '.repeat(5000), '\0', "'", '\\', '²', '\u0301', '\ud800'),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (search) => {
        expect((await registry.listAgents(me, { filter: { owner: me.subject }, search })).items).toEqual([]);
        expect((await registry.countAgents(me, { filter: { owner: me.subject }, search })).value).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
