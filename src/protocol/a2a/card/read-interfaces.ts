import { CARD_LIMITS } from './limits.ts';
import type { CardBinding, CardDialect, CardEra, CardInterface } from './model.ts';
import { type CardNode, isWebUrl } from './node.ts';
import { dialectOf } from './version.ts';

const KNOWN_BINDINGS: readonly CardBinding[] = ['JSONRPC', 'HTTP+JSON', 'GRPC'];

/** The version that speaks for an era where a card names none. */
const VERSION_OF_ERA: Readonly<Record<CardEra, string>> = { early: '0.1', '0.2': '0.2', '0.3': '0.3', '1.0': '1.0' };

/** `host:port` (1.0 spec §5.8), though some cards write a whole URL, as the 0.3 specification's own example does. */
const isGrpcTarget = (url: string): boolean =>
  isWebUrl(url) || /^([a-z][a-z0-9+.-]*:\/*)?[^\s/@]+(:\d+)?\/?$/i.test(url);

/** A binding in the spelling of the specification, which real cards do not always keep. */
const spelled = (binding: string): CardBinding =>
  KNOWN_BINDINGS.find((known) => known === binding.toUpperCase()) ?? binding;

/** The URL if the binding can be reached by it, else undefined with a report: an error only where there is no other interface. */
function endpoint(node: CardNode, binding: CardBinding, alone: boolean): string | undefined {
  const url = node.required(CARD_LIMITS.url, 'is required: the URL where this interface is reached.');
  if (url === '') return undefined;
  const wrong =
    binding === 'GRPC'
      ? !isGrpcTarget(url) && 'is not a gRPC address; write host:port.'
      : !isWebUrl(url) && 'is not an absolute http or https URL without user name and password.';
  if (!wrong) return url;
  if (alone) node.error(wrong);
  else node.warning(`${wrong.slice(0, -1)}, so this interface is left out.`);
  return undefined;
}

function interfaceOf(
  url: string | undefined,
  binding: CardBinding,
  version: string,
  dialect: CardDialect,
  tenant?: string,
): CardInterface[] {
  if (url === undefined) return [];
  return [{ url, binding, protocolVersion: version, dialect, ...(tenant === undefined ? {} : { tenant }) }];
}

/** 1.0: supportedInterfaces, each with its own binding and version (proto AgentInterface). */
function supported(card: CardNode): CardInterface[] {
  const entries = card.member('supportedInterfaces').items(CARD_LIMITS.interfaces);
  const cardVersion = card.member('protocolVersion').text(CARD_LIMITS.version) ?? '';
  const assumed = dialectOf(cardVersion) === '1.0' ? cardVersion : VERSION_OF_ERA['1.0'];
  return entries.flatMap((entry) => {
    if (!entry.expectObject()) {
      if (!entry.present) entry.error('must be an object; this is null.');
      return [];
    }
    const written =
      entry.member('protocolBinding').text(CARD_LIMITS.name) ?? entry.member('transport').text(CARD_LIMITS.name);
    if (written === undefined) {
      entry.member('protocolBinding').warning('is required: JSONRPC, HTTP+JSON, GRPC or a URI; JSONRPC is assumed.');
    }
    const binding = spelled(written ?? 'JSONRPC');
    const version = entry.member('protocolVersion');
    const declared = version.text(CARD_LIMITS.version);
    if (declared === undefined) version.warning(`is required, for instance "1.0"; ${assumed} is assumed.`);
    const dialect = dialectOf(declared ?? assumed);
    if (dialect === undefined || Number.parseInt(declared ?? assumed, 10) > 1) {
      version.warning('is not a version that Rollcall knows; 1.0 is spoken instead.');
    }
    const tenant = entry.member('tenant').text(CARD_LIMITS.name);
    const url = endpoint(entry.member('url'), binding, entries.length === 1 && !card.has('url'));
    return interfaceOf(url, binding, declared ?? assumed, dialect ?? '1.0', tenant);
  });
}

/** Before 1.0: `url` with preferredTransport (0.2.5 and later), then additionalInterfaces; one version for all of them. */
function older(card: CardNode, era: CardEra, alone: boolean): CardInterface[] {
  const declared = card.member('protocolVersion').text(CARD_LIMITS.version);
  const version = declared !== undefined && dialectOf(declared) !== undefined ? declared : VERSION_OF_ERA[era];
  const dialect = dialectOf(version) ?? '0.3';
  const at = (url: CardNode, transport: CardNode, last: boolean) => {
    const binding = spelled(transport.text(CARD_LIMITS.name) ?? 'JSONRPC');
    return interfaceOf(endpoint(url, binding, last), binding, version, dialect);
  };
  const additional = card.member('additionalInterfaces').items(CARD_LIMITS.interfaces);
  return [
    ...(card.has('url') ? at(card.member('url'), card.member('preferredTransport'), alone) : []),
    ...additional.flatMap((entry) =>
      entry.expectObject() ? at(entry.member('url'), entry.member('transport'), false) : [],
    ),
  ];
}

/** The same endpoint in the same dialect, whichever members declare it. */
const identity = (entry: CardInterface): string =>
  JSON.stringify([entry.binding, entry.url.replace(/\/+$/, ''), entry.dialect, entry.tenant ?? '']);

/** The older members of a 1.0 hybrid speak for the version they declare, if that is an older one, else for 0.3. */
const eraOfOlderMembers = (card: CardNode): CardEra =>
  card.has('authentication') && !card.has('protocolVersion') && !card.has('preferredTransport') ? 'early' : '0.3';

/** Every interface that a card declares, preferred first, each once; at least one, or an error is reported. */
export function readInterfaces(card: CardNode, era: CardEra): CardInterface[] {
  const newer = era === '1.0' ? supported(card) : [];
  if (era === '1.0' && newer.length === 0) {
    const note = 'is required: at least one interface with url, protocolBinding and protocolVersion (1.0 spec §4.4.1)';
    if (card.has('url')) card.member('supportedInterfaces').warning(`${note}; the older url is used.`);
    else card.member('supportedInterfaces').error(`${note}; cards before 1.0 have url instead.`);
  }
  if (era !== '1.0') {
    if (!card.has('url')) card.member('url').error(`is required: where the agent is reached (${era} card).`);
    if (card.has('supportedInterfaces')) {
      card.member('supportedInterfaces').warning('has no usable entry, so the card is read by its older members.');
    }
  }
  const olderEra = era !== '1.0' ? era : newer.length === 0 ? '1.0' : eraOfOlderMembers(card);
  const seen = new Set<string>();
  return [...newer, ...older(card, olderEra, newer.length === 0)].filter((entry) => {
    const known = seen.has(identity(entry));
    seen.add(identity(entry));
    return !known;
  });
}
