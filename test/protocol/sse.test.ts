import { parseSseStream } from '@a2a-js/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeComment, encodeEvent, type SseEvent, type SseLimits } from '../../src/protocol/sse.ts';

async function* stream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function decode(chunks: Iterable<Uint8Array | string>, limits?: SseLimits): Promise<SseEvent[]> {
  const encoder = new TextEncoder();
  const bytes = [...chunks].map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
  const events: SseEvent[] = [];
  for await (const event of decodeEvents(stream(bytes), limits)) events.push(event);
  return events;
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

describe('writing events', () => {
  it('one line of data, as A2A sends it', () => {
    expect(encodeEvent({ data: '{"a":1}' })).toBe('data: {"a":1}\n\n');
    expect(encodeEvent({ id: '17', event: 'next', data: '' })).toBe('id: 17\nevent: next\ndata: \n\n');
    expect(encodeEvent({ data: 'a\nb\r\nc\rd' })).toBe('data: a\ndata: b\ndata: c\ndata: d\n\n');
  });

  it('refuses line breaks where they would forge fields', () => {
    expect(() => encodeEvent({ id: '1\ndata: forged', data: '' })).toThrow(RangeError);
    expect(() => encodeEvent({ event: 'a\rb', data: '' })).toThrow(RangeError);
    expect(encodeComment('a\n\ndata: forged')).toBe(':a data: forged\n\n');
  });
});

describe('reading events', () => {
  it.each([
    ['line feeds', '\n'],
    ['carriage returns', '\r'],
    ['both', '\r\n'],
  ])('with %s, in one piece and byte by byte', async (_, end) => {
    const text = [
      '\uFEFF: hello',
      'id: 1',
      'data: first',
      'data:second',
      'data',
      '',
      'event: end',
      'data: ä€😀',
      '',
      '',
    ].join(end);
    const bytes = new TextEncoder().encode(text);
    const expected = [
      { id: '1', data: 'first\nsecond\n' },
      { id: '1', event: 'end', data: 'ä€😀' },
    ];
    expect(await decode([bytes])).toEqual(expected);
    expect(await decode([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('follows the standard where it is particular', async () => {
    // Only one space is taken off; unknown fields, retry and NUL in an id are ignored; no data, no event.
    expect(await decode(['data:  two\nfoo: bar\nretry: 5\nid: a\0b\n\n'])).toEqual([{ data: ' two' }]);
    expect(await decode(['event: x\nid: 3\n\ndata: y\n\n'])).toEqual([{ id: '3', data: 'y' }]);
    expect(await decode(['id: 3\ndata: x\n\nid\ndata: y\n\n'])).toEqual([
      { id: '3', data: 'x' },
      { id: '', data: 'y' },
    ]);
    expect(await decode(['data\n\ndata\ndata\n\ndata:'])).toEqual([{ data: '' }, { data: '\n' }]);
  });

  it('drops an event that the connection broke off', async () => {
    expect(await decode(['data: whole\n\ndata: half\n'])).toEqual([{ data: 'whole' }]);
    expect(await decode([])).toEqual([]);
  });

  it('gives an event out as soon as it is complete', async () => {
    let asked = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      asked++;
      yield new TextEncoder().encode('data: one\n\n');
      asked++;
      yield new TextEncoder().encode('data: two\n\n');
    }
    const events = decodeEvents(source());
    expect(await events.next()).toEqual({ done: false, value: { data: 'one' } });
    expect(asked).toBe(1);
    await events.return();
  });

  it('reads what was written, wherever the bytes are cut', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\0]/g, ''));
    const event = fc.record({
      id: line,
      event: line.filter((text) => text !== ''),
      data: fc.string({ unit: 'grapheme' }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (events, places) => {
          const text = events.map((one) => `${encodeComment('x')}${encodeEvent(one)}`).join('');
          const read = await decode(cut(new TextEncoder().encode(text), places));
          // A field value loses no space of its own, because writing adds one.
          expect(read).toEqual(events.map((one) => ({ ...one, data: one.data.replace(/\r\n|\r/g, '\n') })));
        },
      ),
    );
  });

  it('bounds lines and events, with and without line breaks', async () => {
    const refused = { code: 'UPSTREAM_INVALID' };
    const limits = { maxLine: 20, maxEvent: 10 };
    await expect(decode([`data: ${'x'.repeat(15)}`], limits)).rejects.toMatchObject(refused);
    await expect(decode(['xxxxxxxxxxxx', 'xxxxxxxxxxxx'], limits)).rejects.toMatchObject(refused);
    await expect(decode(['data: 12345\n', 'data: 12345\n'], limits)).rejects.toMatchObject(refused);
    expect(await decode(['data: 12345\n', 'data: 1234\n\n'], limits)).toEqual([{ data: '12345\n1234' }]);
  });

  it('costs time linear in the size of a line that comes in many pieces', async () => {
    const pieces = Array.from({ length: 20_000 }, () => 'x'.repeat(100));
    const [event] = await decode(['data: ', ...pieces, '\n\n']);
    expect(event?.data).toHaveLength(2_000_000);
  });

  it("the reference SDK's parser reads our frames", async () => {
    const text =
      encodeComment() + encodeEvent({ id: '1', data: '{"ä":1}' }) + encodeEvent({ event: 'error', data: '{}' });
    const read: unknown[] = [];
    for await (const event of parseSseStream(new Response(text))) read.push(event);
    expect(read).toEqual([
      expect.objectContaining({ data: '{"ä":1}' }),
      expect.objectContaining({ type: 'error', data: '{}' }),
    ]);
  });
});
