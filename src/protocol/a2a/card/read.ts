import { detectEra } from './era.ts';
import { CARD_LIMITS } from './limits.ts';
import type {
  CardCapabilities,
  CardEra,
  CardExtension,
  CardModel,
  CardProvider,
  CardSignature,
  CardSkill,
} from './model.ts';
import { isMediaType, normaliseMode } from './modes.ts';
import { CardNode } from './node.ts';
import { parseCard } from './parse.ts';
import { type CardProblem, CardProblems } from './problems.ts';
import { readInterfaces } from './read-interfaces.ts';
import { readRequirements, readSecurity } from './read-security.ts';

/** What a card says. `model` is there exactly when no problem is an error. */
export interface CardReading {
  /** The newest era that the card supports; `1.0` where it is no card at all. */
  readonly era: CardEra;
  readonly model?: CardModel;
  /** Errors first; at most `CARD_LIMITS.problems`. */
  readonly problems: readonly CardProblem[];
}

/** The early era's default (0.1 AgentCard), and what is assumed where a later card leaves out its modes. */
const DEFAULT_MODES: readonly string[] = ['text/plain'];

function readModes(node: CardNode, era: CardEra): string[] {
  const modes = node.texts(CARD_LIMITS.modes, CARD_LIMITS.mode);
  // Our own cards for old clients list the early word beside its media type: nothing to warn about.
  const words = modes.filter((mode) => !isMediaType(mode.trim()) && !modes.includes(normaliseMode(mode)));
  if (era !== 'early' && words.length > 0) {
    const [word = ''] = words;
    const read = normaliseMode(word);
    node.warning(`should list media types; ${word} is none${read === word ? '' : ` and is read as ${read}`}.`);
  }
  return [...new Set(modes.map(normaliseMode))];
}

function readDefaultModes(node: CardNode, era: CardEra): readonly string[] {
  if (node.present) return readModes(node, era);
  if (era !== 'early') node.warning(`is required (${era} card); text/plain is assumed.`);
  return DEFAULT_MODES;
}

function readProvider(node: CardNode): CardProvider | undefined {
  if (!node.expectObject()) return undefined;
  const organization = node.member('organization').text(CARD_LIMITS.name);
  if (organization === undefined) {
    node.member('organization').warning('is required in a provider, so the provider is left out.');
    return undefined;
  }
  const url = node.member('url').link();
  return { organization, ...(url === undefined ? {} : { url }) };
}

function readExtension(node: CardNode): CardExtension[] {
  if (!node.present) node.error('must be an object; this is null.');
  if (!node.expectObject()) return [];
  const uri = node.member('uri').required(CARD_LIMITS.url, 'is required: it names the extension.');
  const description = node.member('description').text(CARD_LIMITS.description);
  const params = node.member('params').opaque();
  return [
    {
      uri,
      ...(description === undefined ? {} : { description }),
      required: node.member('required').flag(),
      ...(params === undefined ? {} : { params }),
    },
  ];
}

function readCapabilities(card: CardNode): CardCapabilities {
  const node = card.member('capabilities');
  if (!node.present) node.error('is required: an object with the flags of what the agent can do; {} is enough.');
  node.expectObject();
  return {
    streaming: node.member('streaming').flag(),
    pushNotifications: node.member('pushNotifications').flag(),
    stateTransitionHistory: node.member('stateTransitionHistory').flag(),
    extendedAgentCard: (node.has('extendedAgentCard')
      ? node.member('extendedAgentCard')
      : card.member('supportsAuthenticatedExtendedCard')
    ).flag(),
    extensions: node.member('extensions').items(CARD_LIMITS.extensions).flatMap(readExtension),
  };
}

function readSkill(node: CardNode, era: CardEra): CardSkill[] {
  if (!node.present) node.error('must be an object; this is null.');
  if (!node.expectObject()) return [];
  if (era !== 'early') {
    for (const name of ['description', 'tags']) {
      if (!node.has(name)) node.member(name).warning(`is required in a skill (${era} card); nothing is assumed.`);
    }
  }
  const requirements = readRequirements(
    node.member(node.has('securityRequirements') ? 'securityRequirements' : 'security'),
  );
  return [
    {
      id: node.member('id').required(CARD_LIMITS.skillId, 'is required: it names the skill within the card.'),
      name: node.member('name').required(CARD_LIMITS.name, 'is required: what people call the skill.'),
      description: node.member('description').text(CARD_LIMITS.description) ?? '',
      tags: node.member('tags').texts(CARD_LIMITS.tags, CARD_LIMITS.tag),
      examples: node.member('examples').texts(CARD_LIMITS.examples, CARD_LIMITS.example),
      inputModes: readModes(node.member('inputModes'), era),
      outputModes: readModes(node.member('outputModes'), era),
      ...(requirements.length === 0 ? {} : { securityRequirements: requirements }),
    },
  ];
}

function readSkills(card: CardNode, era: CardEra): CardSkill[] {
  const node = card.member('skills');
  if (!node.present) {
    // ProtoJSON writers leave out empty lists, so a 1.0 card without skills may mean just that.
    if (era === '1.0') node.warning('is required; none are assumed.');
    else node.error(`is required: the list of what the agent can do (${era} card); [] is enough.`);
  }
  const seen = new Map<string, string>();
  return node.items(CARD_LIMITS.skills).flatMap((item) => {
    const skills = readSkill(item, era);
    for (const { id } of skills) {
      if (id !== '' && seen.has(id))
        item.member('id').error(`is the id of ${seen.get(id)} too; each skill needs its own.`);
      else seen.set(id, item.path);
    }
    return skills;
  });
}

function readSignature(node: CardNode): CardSignature[] {
  if (!node.present) node.error('must be an object; this is null.');
  if (!node.expectObject()) return [];
  const header = node.member('header').opaque();
  return [
    {
      protected: node.member('protected').required(CARD_LIMITS.signature, 'is required in a signature.'),
      signature: node.member('signature').required(CARD_LIMITS.signature, 'is required in a signature.'),
      ...(header === undefined ? {} : { header }),
    },
  ];
}

function readModel(card: CardNode, era: CardEra): CardModel {
  const description = card.member('description').text(CARD_LIMITS.description);
  // Writers of ProtoJSON leave out empty text, so a missing description does not make a card unusable.
  if (description === undefined && era !== 'early') {
    card.member('description').warning(`is required (${era} card); nothing is assumed.`);
  }
  const provider = readProvider(card.member('provider'));
  const documentationUrl = card.member('documentationUrl').link();
  const iconUrl = card.member('iconUrl').link();
  return {
    name: card.member('name').required(CARD_LIMITS.name, 'is required: what people call the agent.'),
    description: description ?? '',
    version: card.member('version').required(CARD_LIMITS.version, "is required: the agent's own version, as text."),
    ...(provider === undefined ? {} : { provider }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(iconUrl === undefined ? {} : { iconUrl }),
    interfaces: readInterfaces(card, era),
    capabilities: readCapabilities(card),
    inputModes: readDefaultModes(card.member('defaultInputModes'), era),
    outputModes: readDefaultModes(card.member('defaultOutputModes'), era),
    skills: readSkills(card, era),
    ...readSecurity(card),
    signatures: card.member('signatures').items(CARD_LIMITS.signatures).flatMap(readSignature),
  };
}

/**
 * Reads an agent card of any era, strict in what matters (endpoints, ids, types, limits) and lenient where cards in use
 * are sloppy. Members that A2A does not name are passed over. Never throws: a page, broken JSON or a wrong type is a
 * problem in the answer, at its exact path.
 */
export function readCard(content: Uint8Array | string): CardReading {
  const problems = new CardProblems();
  const parsed = parseCard(content);
  if ('wrong' in parsed) {
    problems.error('$', parsed.wrong);
    return { era: '1.0', problems: problems.list() };
  }
  const card = new CardNode(problems, parsed.value);
  if (!card.isObject) {
    card.error('must be a JSON object with the members of an agent card.');
    return { era: '1.0', problems: problems.list() };
  }
  const { era, guessed } = detectEra(parsed.value);
  if (guessed) {
    const speaks = era === 'early' ? 'the early era (tasks/send)' : `${era} (message/send)`;
    card
      .member('protocolVersion')
      .warning(`is not declared; the card looks like one of ${speaks} and is read as that.`);
  }
  const model = readModel(card, era);
  return problems.failed ? { era, problems: problems.list() } : { era, model, problems: problems.list() };
}
