/**
 * What seeded agents are made of. Words follow Zipf's law, as in prose: a few are in nearly every text, most are rare.
 * Everything is drawn by a generator with a fixed seed, so that two runs search the same texts.
 */

const DOMAINS =
  `Invoice Contract Payroll Ledger Shipment Warehouse Inventory Customer Ticket Claim Policy Patient Lab Image
  Video Speech Translation Code Test Release Cluster Network Sensor Battery Traffic Weather Satellite Genome Protein Molecule
  Legal Tax Travel Hotel Flight Recipe News Research Patent Survey`.split(/\s+/);
const ROLES =
  `Auditor Analyst Planner Reviewer Router Summariser Classifier Extractor Forecaster Monitor Assistant Scheduler
  Translator Validator Indexer Matcher Negotiator Optimiser Inspector Archivist`.split(/\s+/);
const PLAIN =
  `the of and to data for from with text model report document query result task agent answer summary table file
  image record field value batch stream event schema version source target language region quality score risk cost price order
  customer account message topic label entity graph index vector search rank filter group trend alert rule policy audit draft`.split(
    /\s+/,
  );
const SYLLABLES =
  'ba be bi bo bu ca ce ci co cu da de di do du fa fe fi fo ga ge gi go la le li lo lu ma me mi mo mu na ne ni no ra re ri ro sa se si so ta te ti to va ve vi vo'.split(
    ' ',
  );

export const TAGS = 200;
export const SKILL_KEYS = 2_000;

/** In 1 description of 5 (common), and in 7 agents whatever their number (rare). */
export const COMMON_WORD = 'forecasting';
export const RARE_WORD = 'bathymetry';

/** mulberry32: small, and good enough to draw words with. */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Lists of texts that the seeding statements draw from by number. */
export interface Vocabulary {
  readonly names: readonly string[];
  readonly sentences: readonly string[];
  readonly tags: readonly string[];
  readonly skillKeys: readonly string[];
  readonly skillNames: readonly string[];
}

export function createVocabulary(): Vocabulary {
  const random = generator(20_260_101);
  const pick = <T>(list: readonly T[], skew = 1): T => list[Math.floor(random() ** skew * list.length)]!;
  const coined = Array.from({ length: 6_000 }, () =>
    Array.from({ length: 3 + Math.floor(random() * 2) }, () => pick(SYLLABLES)).join(''),
  );
  const words = [...PLAIN, ...coined];
  const sentence = (): string => Array.from({ length: 12 }, () => pick(words, 4)).join(' ');
  const codeNames = Array.from({ length: 20 }, () => pick(coined)).map((w) => w[0]!.toUpperCase() + w.slice(1));
  const skillKeys = Array.from({ length: SKILL_KEYS }, (_, i) => `${pick(DOMAINS)}-${pick(PLAIN)}-${i}`.toLowerCase());
  return {
    names: DOMAINS.flatMap((d) => ROLES.flatMap((r) => codeNames.map((c) => `${d} ${r} ${c}`))),
    sentences: Array.from({ length: 8_192 }, sentence),
    tags: Array.from({ length: TAGS }, (_, i) => `${pick(PLAIN)}-${i}`),
    skillKeys,
    skillNames: skillKeys.map((key) => key.replace(/-\d+$/, '').replaceAll('-', ' ')),
  };
}
