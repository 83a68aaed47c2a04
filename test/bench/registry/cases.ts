import { COMMON_WORD, createVocabulary, RARE_WORD } from './vocabulary.ts';

/** One list that is asked for: arguments of `agents`, and what is selected besides the page. */
export interface Case {
  readonly group: 'order' | 'filter' | 'search' | 'count';
  readonly name: string;
  readonly filter?: Record<string, unknown>;
  readonly search?: string;
  readonly orderBy?: { readonly field: string; readonly direction: 'ASC' | 'DESC' };
  /** Page 1,000 (or the last one, where there are fewer) instead of the first. */
  readonly deep?: boolean;
  readonly also?: string;
}

const { tags, skillKeys } = createVocabulary();
const ORDERS = [
  ['id', 'ID', 'ASC'],
  ['name', 'NAME', 'ASC'],
  ['updatedAt, newest first', 'UPDATED_AT', 'DESC'],
  ['lastUsedAt, newest first', 'LAST_USED_AT', 'DESC'],
] as const;
export const TOTAL = 'totalCount { value exact }';
export const FACETS =
  'facets(fields: [TAG, PROVIDER, STATUS, CAPABILITY]) { field values { value count { value exact } } }';

/** The biggest provider and one of the smallest are known by their place in the seed. */
export const casesFor = (bigProvider: string, smallProvider: string): readonly Case[] => [
  ...ORDERS.flatMap(([name, field, direction]): Case[] => [
    { group: 'order', name: `${name}: page 1`, orderBy: { field, direction } },
    { group: 'order', name: `${name}: page 1,000`, orderBy: { field, direction }, deep: true },
  ]),
  { group: 'filter', name: 'skill key, frequent', filter: { skillKey: skillKeys[0] } },
  { group: 'filter', name: 'skill key, rare', filter: { skillKey: skillKeys[1_990] } },
  { group: 'filter', name: 'tag, frequent', filter: { tag: tags[0] } },
  { group: 'filter', name: 'tag, rare', filter: { tag: tags[199] } },
  {
    group: 'filter',
    name: 'tag, rare, by name',
    filter: { tag: tags[199] },
    orderBy: { field: 'NAME', direction: 'ASC' },
  },
  { group: 'filter', name: 'provider, big', filter: { providerId: bigProvider } },
  { group: 'filter', name: 'provider, small', filter: { providerId: smallProvider } },
  { group: 'filter', name: 'status ACTIVE (92 %)', filter: { status: ['ACTIVE'] } },
  { group: 'filter', name: 'status DEPRECATED (3 %)', filter: { status: ['DEPRECATED'] } },
  { group: 'filter', name: 'capability, frequent', filter: { capability: 'capability-0' } },
  { group: 'filter', name: 'capability, rare', filter: { capability: 'capability-39' } },
  { group: 'filter', name: 'mode of all', filter: { mode: 'text/plain' } },
  { group: 'filter', name: 'mode, 2 %', filter: { mode: 'application/pdf' } },
  {
    group: 'filter',
    name: 'mode, 2 %, lastUsedAt',
    filter: { mode: 'application/pdf' },
    orderBy: { field: 'LAST_USED_AT', direction: 'DESC' },
  },
  { group: 'search', name: 'rare word', search: RARE_WORD },
  { group: 'search', name: 'word in 20 %', search: COMMON_WORD },
  { group: 'search', name: 'prefix, 4 letters, in 20 %', search: COMMON_WORD.slice(0, 4) },
  { group: 'search', name: 'prefix, 1 letter', search: 'b' },
  { group: 'search', name: 'two words', search: `${COMMON_WORD} invoice` },
  {
    group: 'search',
    name: 'word in 20 %, by name',
    search: COMMON_WORD,
    orderBy: { field: 'NAME', direction: 'ASC' },
  },
  { group: 'count', name: 'totalCount of all', also: TOTAL },
  { group: 'count', name: 'totalCount, tag', filter: { tag: tags[0] }, also: TOTAL },
  { group: 'count', name: 'totalCount, status DEPRECATED', filter: { status: ['DEPRECATED'] }, also: TOTAL },
  { group: 'count', name: 'totalCount, word in 20 %', search: COMMON_WORD, also: TOTAL },
  { group: 'count', name: '4 facets of all', also: FACETS },
  { group: 'count', name: '4 facets, tag', filter: { tag: tags[0] }, also: FACETS },
];
