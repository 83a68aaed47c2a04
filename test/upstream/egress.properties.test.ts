import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../src/errors.ts';
import { AddressSet, type Cidr, parseCidr, specialKind } from '../../src/upstream/egress/ranges.ts';
import { parseHost, parseOutboundUrl } from '../../src/upstream/egress/url.ts';
import { egressWith, names } from './egress-support.ts';

/** The value of a parser, or undefined when it refuses; anything but INVALID_INPUT is a defect. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'INVALID_INPUT') return undefined;
    throw error;
  }
}

/** One number of an IPv4 address in a form that inet_aton reads. */
const numberForms = (value: number) =>
  fc.constantFrom(
    String(value),
    `0x${value.toString(16)}`,
    `0X${value.toString(16).toUpperCase()}`,
    `0${value.toString(8)}`,
    `000${value.toString(8)}`,
    `0x00${value.toString(16)}`,
  );

/** An IPv4 address in any of the forms that inet_aton reads, the plain one included. */
const ipv4Forms = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 4 }))
  .chain(([a, b, c, d, parts]) => {
    const values =
      [[((a * 256 + b) * 256 + c) * 256 + d], [a, (b * 256 + c) * 256 + d], [a, b, c * 256 + d], [a, b, c, d]][
        parts - 1
      ] ?? [];
    return fc.tuple(
      fc.constant(`${a}.${b}.${c}.${d}`),
      fc.tuple(...values.map(numberForms)).map((written) => written.join('.')),
    );
  });

const trickyText = fc
  .array(
    fc.constantFrom(
      ...'0123456789abcdefx.:/@[]%\\?#- \t\n',
      '127.0.0.1',
      'http://',
      '//',
      'localhost',
      '１',
      '。',
      '\u00ad',
      '::1',
      '0x7f',
      '@',
    ),
    { maxLength: 24 },
  )
  .map((pieces) => pieces.join(''));

const toNumber = (address: string): bigint => address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

describe('properties of the door', () => {
  it('an IPv4 address passes in its plain form only, and then as itself', () => {
    fc.assert(
      fc.property(ipv4Forms, ([plain, written]) => {
        expect(attempt(() => parseHost(written))).toBe(written === plain ? plain : undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever passes is read by the URL standard as the same host, port and path, without credentials', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          trickyText.map((text) => `http://${text}`),
          trickyText,
          fc.webUrl(),
        ),
        (raw) => {
          const parsed = attempt(() => parseOutboundUrl(raw));
          if (parsed === undefined) return;
          const url = new URL(raw);
          expect(url.hostname.replace(/^\[|\]$/g, '')).toBe(parsed.host);
          expect(Number(url.port || (url.protocol === 'https:' ? 443 : 80))).toBe(parsed.port);
          expect([url.username, url.password, url.origin, url.pathname + url.search]).toEqual([
            '',
            '',
            parsed.origin,
            parsed.path,
          ]);
          expect(raw.toLowerCase()).toContain(url.hostname.startsWith('[') ? '[' : parsed.host);
          expect(parseOutboundUrl(parsed.href)).toEqual(parsed);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('takes ordinary web URLs', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http', 'https'], withQueryParameters: true }), (raw) => {
        expect(parseOutboundUrl(raw).protocol).toBe(raw.startsWith('https') ? 'https:' : 'http:');
      }),
      { numRuns: 1_000 },
    );
  });

  it('a block holds exactly the addresses that share its leading bits', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), fc.nat(32), (base, prefix, other, keep) => {
        const cidr: Cidr = { family: 4, address: base, prefix };
        // Half of the candidates share their first bits with the block, or hardly one would ever be inside.
        const mixed =
          ((toNumber(base) >> BigInt(32 - keep)) << BigInt(32 - keep)) |
          (toNumber(other) & ((1n << BigInt(32 - keep)) - 1n));
        const candidate = [24n, 16n, 8n, 0n].map((shift) => (mixed >> shift) & 255n).join('.');
        const inside = toNumber(base) >> BigInt(32 - prefix) === mixed >> BigInt(32 - prefix);
        expect(new AddressSet().add(cidr).has(candidate)).toBe(inside);
      }),
      { numRuns: 2_000 },
    );
  });

  it('no IPv6 address outside global unicast is public, and none that wraps an IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), (address, inner) => {
        const first = Number.parseInt(new URL(`http://[${address}]/`).hostname.slice(1).split(':')[0] || '0', 16);
        if (first < 0x2000 || first > 0x3fff) expect(specialKind(address)).toBeDefined();
        for (const wrapped of [`::ffff:${inner}`, `::${inner}`, `64:ff9b::${inner}`, `::ffff:0:${inner}`]) {
          expect(specialKind(wrapped)).toBeDefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('a host passes exactly when every address that it resolves to would pass by itself', async () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', '127.0.0.1', '8.8.8.8', '2606:4700::1111', '10.9.9.9'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 4 }), async (addresses) => {
        const egress = egressWith({ allow: ['10.0.0.0/8'], resolve: names({ 'any.test': addresses }) });
        const permitted = addresses.every((one) => specialKind(one) === undefined || one.startsWith('10.'));
        const passed = await egress.check('http://any.test/').then(
          () => true,
          () => false,
        );
        expect(passed).toBe(permitted);
      }),
      { numRuns: 300 },
    );
  });

  it('never reads something as a block that is no address', () => {
    fc.assert(
      fc.property(trickyText, (text) => {
        const cidr = parseCidr(text);
        if (cidr !== undefined) expect(() => new AddressSet().add(cidr)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
