import { sameRequirements, tightened } from './diff-security.ts';
import type { CardExtension, CardInterface, CardModel, CardSkill } from './model.ts';
import { pathStep } from './node.ts';
import { sameJson } from './same-json.ts';
import type { SecurityRequirement, SecurityScheme } from './security.ts';
import { withoutPatch } from './version.ts';

/** One difference between two readings of an agent's card. */
export interface CardChange {
  /** JSONPath in the {@link CardModel}; entries of lists by what identifies them: `$.skills[?@.id=="translate"].name`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Absent (undefined) for what was added. */
  readonly before: unknown;
  /** Absent (undefined) for what was removed. */
  readonly after: unknown;
  /** Whether a caller that worked with the card before may fail now. */
  readonly breaking: boolean;
  /** Why it is breaking. */
  readonly reason?: string;
}

/** Says why a change from one value to the other breaks callers; undefined when it does not. */
type Rule<T> = (before: T | undefined, after: T | undefined) => string | undefined;

const harmless: Rule<unknown> = () => undefined;

const removal =
  (reason: string): Rule<unknown> =>
  (_before, after) =>
    after === undefined ? reason : undefined;

const switchedOff =
  (name: string): Rule<unknown> =>
  (before, after) =>
    before === true && after === false ? `the agent no longer offers ${name}` : undefined;

function compare<T>(path: string, before: T | undefined, after: T | undefined, rule: Rule<T>): CardChange[] {
  if (sameJson(before, after)) return [];
  const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const reason = rule(before, after);
  return [{ path, kind, before, after, breaking: reason !== undefined, ...(reason === undefined ? {} : { reason }) }];
}

/** The members that are compared as they are, and what breaks callers. */
const MEMBERS: readonly (readonly [path: string, of: (card: CardModel) => unknown, rule: Rule<unknown>])[] = [
  ['$.name', (card) => card.name, harmless],
  ['$.description', (card) => card.description, harmless],
  ['$.version', (card) => card.version, harmless],
  ['$.provider.organization', (card) => card.provider?.organization, harmless],
  ['$.provider.url', (card) => card.provider?.url, harmless],
  ['$.documentationUrl', (card) => card.documentationUrl, harmless],
  ['$.iconUrl', (card) => card.iconUrl, harmless],
  ['$.capabilities.streaming', (card) => card.capabilities.streaming, switchedOff('streaming')],
  [
    '$.capabilities.pushNotifications',
    (card) => card.capabilities.pushNotifications,
    switchedOff('push notifications'),
  ],
  [
    '$.capabilities.stateTransitionHistory',
    (card) => card.capabilities.stateTransitionHistory,
    switchedOff('the history of state transitions'),
  ],
  ['$.capabilities.extendedAgentCard', (card) => card.capabilities.extendedAgentCard, switchedOff('an extended card')],
  ['$.signatures', (card) => card.signatures, harmless],
];

/** Members of a skill besides modes and security; all of them wording. */
const SKILL_MEMBERS = ['name', 'description', 'tags', 'examples'] as const satisfies readonly (keyof CardSkill)[];

/** Pairs the entries of two lists by what identifies them, and compares each pair. */
function paired<T>(
  before: readonly T[],
  after: readonly T[],
  identity: (entry: T) => string,
  each: (key: string, before: T | undefined, after: T | undefined) => CardChange[],
): CardChange[] {
  const [old, now] = [before, after].map((list) => new Map(list.map((entry) => [identity(entry), entry]))) as [
    Map<string, T>,
    Map<string, T>,
  ];
  const keys = new Set([...old.keys(), ...now.keys()]);
  return [...keys].flatMap((key) => each(key, old.get(key), now.get(key)));
}

const quoted = (text: string): string => JSON.stringify(text);

/** An endpoint as a caller chooses it; patches of the version never matter. */
const endpointKey = (entry: CardInterface): string =>
  [
    `@.binding==${quoted(entry.binding)}`,
    `@.url==${quoted(entry.url)}`,
    `@.protocolVersion==${quoted(withoutPatch(entry.protocolVersion))}`,
    ...(entry.tenant === undefined ? [] : [`@.tenant==${quoted(entry.tenant)}`]),
  ].join(' && ');

function diffInterfaces(before: CardModel, after: CardModel): CardChange[] {
  const versionChanged: Rule<string> = (old, now) =>
    old !== undefined && now !== undefined && withoutPatch(old) !== withoutPatch(now)
      ? 'the preferred interface speaks another protocol version'
      : undefined;
  const [old, now] = [before.interfaces[0]?.protocolVersion, after.interfaces[0]?.protocolVersion];
  return [
    ...compare('$.interfaces[0].protocolVersion', old, now, versionChanged),
    ...paired(before.interfaces, after.interfaces, endpointKey, (key, a, b) =>
      compare(`$.interfaces[?${key}]`, a, b, removal('this interface is gone')),
    ),
  ];
}

/** What a card or skill lists itself, and what applies to its callers: a skill that lists nothing takes the card's. */
interface Effective<T> {
  readonly listed: readonly T[];
  readonly applying: readonly T[];
}

const effective = <T>(listed: readonly T[] | undefined, inherited: readonly T[]): Effective<T> =>
  listed === undefined || listed.length === 0 ? { listed: [], applying: inherited } : { listed, applying: listed };

function diffModes(path: string, before: Effective<string>, after: Effective<string>): CardChange[] {
  const lost = before.applying.filter((mode) => !after.applying.includes(mode));
  const gone = (modes: readonly string[]): string =>
    `${modes.join(', ')} ${path.endsWith('inputModes') ? 'is no longer accepted' : 'is no longer produced'}`;
  const rule: Rule<string> = (old) => {
    if (old !== undefined) return after.applying.includes(old) ? undefined : gone([old]);
    // Naming modes for the first time breaks callers that used another of the card's.
    return before.listed.length === 0 && lost.length > 0 ? gone(lost) : undefined;
  };
  return paired(before.listed, after.listed, quoted, (key, old, now) => compare(`${path}[?@==${key}]`, old, now, rule));
}

function diffRequirements(
  path: string,
  before: Effective<SecurityRequirement>,
  after: Effective<SecurityRequirement>,
): CardChange[] {
  if (sameRequirements(before.listed, after.listed)) return [];
  const orAbsent = (list: readonly SecurityRequirement[]) => (list.length === 0 ? undefined : list);
  return compare(path, orAbsent(before.listed), orAbsent(after.listed), () =>
    tightened(before.applying, after.applying),
  );
}

function diffExtensions(before: readonly CardExtension[], after: readonly CardExtension[]): CardChange[] {
  const nowRequired: Rule<CardExtension> = (old, now) =>
    now?.required && !old?.required ? 'callers must support this extension' : undefined;
  return paired(
    before,
    after,
    ({ uri }) => uri,
    (uri, old, now) => compare(`$.capabilities.extensions[?@.uri==${quoted(uri)}]`, old, now, nowRequired),
  );
}

/** A scheme without its wording. */
const substance = (scheme: SecurityScheme | undefined): unknown =>
  scheme && Object.entries(scheme).map(([member, { description: _wording, ...rest }]) => [member, rest]);

function diffSchemes(before: CardModel, after: CardModel): CardChange[] {
  const asked = new Set(before.securityRequirements.flatMap(({ schemes }) => Object.keys(schemes)));
  return paired(
    Object.entries(before.securitySchemes),
    Object.entries(after.securitySchemes),
    ([name]) => name,
    (name, a, b) => {
      const rule: Rule<SecurityScheme> = (old, now) =>
        old && now && asked.has(name) && !sameJson(substance(old), substance(now))
          ? 'callers must authenticate in another way'
          : undefined;
      return compare(`$.securitySchemes${pathStep(name)}`, a?.[1], b?.[1], rule);
    },
  );
}

function diffSkills(before: CardModel, after: CardModel): CardChange[] {
  return paired(
    before.skills,
    after.skills,
    ({ id }) => id,
    (id, old, now) => {
      const path = `$.skills[?@.id==${quoted(id)}]`;
      if (!old || !now) return compare(path, old, now, removal('this skill is gone'));
      return [
        ...SKILL_MEMBERS.flatMap((member) => compare(`${path}.${member}`, old[member], now[member], harmless)),
        ...(['inputModes', 'outputModes'] as const).flatMap((name) =>
          diffModes(`${path}.${name}`, effective(old[name], before[name]), effective(now[name], after[name])),
        ),
        ...diffRequirements(
          `${path}.securityRequirements`,
          effective(old.securityRequirements, before.securityRequirements),
          effective(now.securityRequirements, after.securityRequirements),
        ),
      ];
    },
  );
}

/**
 * What changed from one card of an agent to the next. Breaking is what can fail a caller of the old card: a skill, mode
 * or interface that is gone, a capability that was switched off, security that shuts somebody out, an extension that is
 * newly required, another protocol version in the preferred interface. Wording and additions are not. Paths are the
 * same in both directions.
 */
export function diffCards(before: CardModel, after: CardModel): CardChange[] {
  return [
    ...MEMBERS.flatMap(([path, of, rule]) => compare(path, of(before), of(after), rule)),
    ...diffInterfaces(before, after),
    ...diffExtensions(before.capabilities.extensions, after.capabilities.extensions),
    ...(['inputModes', 'outputModes'] as const).flatMap((name) =>
      diffModes(`$.${name}`, effective(before[name], []), effective(after[name], [])),
    ),
    ...diffSkills(before, after),
    ...diffSchemes(before, after),
    ...diffRequirements(
      '$.securityRequirements',
      effective(before.securityRequirements, []),
      effective(after.securityRequirements, []),
    ),
  ];
}
