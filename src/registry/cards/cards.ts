import { allows, type Principal } from '../../auth/principal.ts';
import type { Transaction } from '../../database/database.ts';
import type { Query } from '../../database/drivers.ts';
import { SourceCardEntity } from '../../database/entities/index.ts';
import { toDate, Values } from '../../database/values.ts';
import { RollcallError } from '../../errors.ts';
import {
  type CardChange,
  type CardForm,
  type CardProblem,
  cardUrlCandidates,
  diffCards,
  readCard,
} from '../../protocol/a2a/card/index.ts';
import { agentToChange } from '../agents/read.ts';
import { registerAgent, updateAgent } from '../agents/write.ts';
import type { RegistryContext } from '../context.ts';
import type { AgentInput } from '../input/schemas.ts';
import type { Agent, FieldChange, Skill } from '../model.ts';
import type { Registry } from '../registry.ts';
import { replaceSkills } from '../skills.ts';
import { requireOwnership, requireScope, visibleSql } from '../visibility.ts';
import { type CardGateway, type DerivedCard, deriveCard, extendCard } from './derive-card.ts';
import { agentDetails } from './extended-card.ts';
import { type FetchedCard, fetchCard, requireUsable } from './fetch-card.ts';
import { agentFromCard, authenticationFromCard, skillsFromCard } from './from-card.ts';
import { type CardSignatureMode, requireVerified, verificationOf } from './trust/card-trust.ts';
import type { CardSigner } from './trust/signer.ts';
import type { CardVerification } from './trust/verify.ts';

/** What a card says, before anything is stored. */
export interface CardPreview {
  readonly url: string;
  readonly era: string;
  readonly digest: string;
  readonly problems: readonly CardProblem[];
  /** What its signatures are worth under the keys pinned for its provider. */
  readonly verification: CardVerification;
  /** What would be registered; undefined when the card cannot be used. */
  readonly agent?: ReturnType<typeof agentFromCard> & { readonly skills: ReturnType<typeof skillsFromCard> };
  /** The agent that was imported from this URL already, if the caller sees one and holds the scope registry:read. */
  readonly registered?: Agent;
}

/** An imported card as stored. */
export interface SourceCard {
  readonly url: string;
  readonly era: string;
  readonly digest: string;
  /** Byte for byte. */
  readonly body: Buffer;
  readonly etag: string | null;
  readonly signatures: readonly unknown[];
  readonly fetchedAt: Date;
  /** What its signatures were worth when it was fetched. */
  readonly verification: CardVerification;
}

/** What a refresh found. */
export interface CardRefresh {
  readonly agent: Agent;
  readonly changes: readonly CardChange[];
  readonly problems: readonly CardProblem[];
  /** True when the changes are stored now. */
  readonly applied: boolean;
}

/** What the importer decides; everything else the card does. */
export type ImportOptions = Pick<
  AgentInput,
  'handle' | 'visibility' | 'authentication' | 'capabilities' | 'type' | 'retrySafe'
>;

/** What signatures are for. */
export interface CardTrustOptions {
  readonly signatures: CardSignatureMode;
  /** Signs the 1.0 cards that are served; unsigned without it. */
  readonly signer?: CardSigner | undefined;
}

export type Cards = ReturnType<typeof createCards>;

async function agentOfCard(query: Query, principal: Principal, urls: readonly string[]): Promise<string | undefined> {
  const values = new Values();
  const rows = await query<{ id: string }>(
    `select a.id from source_card c join agent a on a.id = c.agent where c.url = any(${values.add(urls)}::text[]) and a.deleted_at is null and ${visibleSql(principal, 'a', values)} limit 1`,
    values.list,
  );
  return rows[0]?.id;
}

const alreadyImported = (id: string, url: string): RollcallError =>
  new RollcallError(
    'ALREADY_EXISTS',
    `url: the agent ${id} was imported from ${url} already; refreshAgent fetches its card again`,
    { field: 'url', details: { id } },
  );

/** Cards: previews, imports, refreshes, and the cards that are served. */
export function createCards(
  context: RegistryContext,
  registry: Registry,
  gateway: () => CardGateway,
  trust: CardTrustOptions = { signatures: 'audit' },
) {
  const { database, egress } = context;
  const { signatures: mode, signer } = trust;
  const served = new Map<string, DerivedCard>();

  /** @throws RollcallError CARD_INVALID where signatures are required and none holds. */
  const trusted = async (card: FetchedCard): Promise<CardVerification> => {
    const verification = await verificationOf(database.query, mode, card);
    requireVerified(mode, card, verification);
    return verification;
  };

  const write = async (
    tx: Transaction,
    agentId: string,
    card: FetchedCard,
    verification: CardVerification,
  ): Promise<void> => {
    await tx.em.upsert(SourceCardEntity, {
      agent: agentId,
      url: card.url,
      era: card.reading.era,
      body: card.body,
      digest: card.digest,
      etag: card.etag,
      signatures: card.reading.model?.signatures ?? [],
      fetchedAt: new Date(),
      verification: verification.state,
      verifiedKid: verification.keyId,
    } as never);
  };

  const sourceCard = async (agentId: string): Promise<SourceCard | undefined> => {
    const [row] = await database.query<Record<string, unknown>>(
      `select url, era, digest, body, etag, signatures, fetched_at as "fetchedAt", verification, verified_kid
       from source_card where agent = $1`,
      [agentId],
    );
    if (row === undefined) return undefined;
    const { verification: state, verified_kid: keyId, ...card } = row;
    return {
      ...card,
      verification: { state, keyId },
      body: Buffer.from(row['body'] as Uint8Array),
      fetchedAt: toDate(row['fetchedAt'] as string),
    } as unknown as SourceCard;
  };

  return {
    /** The source card of an agent that the caller has been shown; undefined for one that was not imported. */
    sourceCard,

    /** Fetches and reads a card without storing anything. @throws RollcallError as fetchCard; problems of the card are in the answer. */
    async preview(principal: Principal, url: string): Promise<CardPreview> {
      requireScope(principal, 'registry:write');
      const card = (await fetchCard(egress, url))!;
      const { era, model, problems } = card.reading;
      const id = allows(principal, 'registry:read')
        ? await agentOfCard(database.query, principal, [card.url])
        : undefined;
      return {
        url: card.url,
        era,
        digest: card.digest,
        problems,
        verification: await verificationOf(database.query, mode, card),
        ...(model === undefined ? {} : { agent: { ...agentFromCard(model), skills: skillsFromCard(model) } }),
        ...(id === undefined ? {} : { registered: await registry.agent(principal, id) }),
      };
    },

    /**
     * Imports the agent whose card is at a URL.
     *
     * @throws RollcallError ALREADY_EXISTS with `details.id` when the caller sees an agent imported from there; CARD_INVALID
     *   with `details.problems`; EGRESS_DENIED, UPSTREAM_…, and what registering throws.
     */
    async import(principal: Principal, url: string, options: ImportOptions = {}): Promise<Agent> {
      requireScope(principal, 'registry:write');
      const known = await agentOfCard(database.query, principal, cardUrlCandidates(url));
      if (known !== undefined) throw alreadyImported(known, url);
      const card = (await fetchCard(egress, url))!;
      const model = requireUsable(card);
      const verification = await trusted(card);
      const input: AgentInput = {
        ...agentFromCard(model),
        skills: skillsFromCard(model),
        executionType: 'a2a',
        authentication: authenticationFromCard(model),
        ...options,
      };
      const id = await registerAgent(context, principal, input, {
        action: 'imported',
        async alsoWrite(tx, agentId) {
          // Two imports of one URL at the same moment take turns here, and the second sees the first.
          await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [card.url]);
          const there = await agentOfCard(tx.query, principal, [card.url]);
          if (there !== undefined) throw alreadyImported(there, card.url);
          await write(tx, agentId, card, verification);
        },
      });
      return agentToChange(database.query, principal, id);
    },

    /**
     * Fetches the card of an imported agent again and compares it with the one stored.
     *
     * @param apply stores the new card and sets what it decides: name, description, version, endpoints, modes, skills,
     *   provider, extensions and capability flags. What people decided (handle, status, visibility, credentials) stays.
     * @throws RollcallError FAILED_PRECONDITION for an agent that was not imported, and as {@link import}.
     */
    async refresh(principal: Principal, agentId: string, apply: boolean, revision?: number): Promise<CardRefresh> {
      requireScope(principal, 'registry:write');
      const agent = await agentToChange(database.query, principal, agentId);
      requireOwnership(principal, agent, `agent ${agent.handle}`);
      const stored = await sourceCard(agentId);
      if (stored === undefined)
        throw new RollcallError(
          'FAILED_PRECONDITION',
          `The agent ${agent.handle} was not imported from a card, so there is nothing to fetch again.`,
        );
      const card = await fetchCard(egress, stored.url, stored.etag);
      if (card === undefined || card.digest === stored.digest)
        return { agent, changes: [], problems: [], applied: false };
      const model = requireUsable(card);
      const before = readCard(stored.body).model;
      const changes = before === undefined ? [] : diffCards(before, model);
      const { problems } = card.reading;
      if (!apply) return { agent, changes, problems, applied: false };
      const verification = await trusted(card);
      await updateAgent(context, principal, agentId, agentFromCard(model), {
        revision,
        action: 'refreshed',
        async alsoChange(_row, tx): Promise<FieldChange[]> {
          const skills = await replaceSkills(tx, agentId, skillsFromCard(model));
          await write(tx, agentId, card, verification);
          return [...skills, { field: 'sourceCard', before: stored.digest, after: card.digest }];
        },
      });
      return { agent: await agentToChange(database.query, principal, agentId), changes, problems, applied: true };
    },

    /** The card that Rollcall serves for an agent. @throws RollcallError NOT_FOUND when the caller may not see it. */
    async derived(principal: Principal, agentId: string, form: CardForm): Promise<DerivedCard> {
      const agent = await registry.agent(principal, agentId);
      const at = gateway();
      const key = `${agent.id} ${agent.revision} ${agent.provider?.revision ?? 0} ${form} ${at.publicUrl} ${at.publicGrpcUrl}`;
      const known = served.get(key);
      if (known !== undefined) return known;
      const [skills = []] = await registry.skillsOfAgents([agent.id]);
      const card = await deriveCard(at, agent, skills as Skill[], form, signer);
      if (served.size >= MOST_SERVED) served.delete(served.keys().next().value!);
      served.set(key, card);
      return card;
    },

    /**
     * The extended card of an agent: the derived one, with what the caller may know besides.
     *
     * @throws RollcallError UNAUTHENTICATED for an anonymous caller; FORBIDDEN (scope registry:read); NOT_FOUND when the
     *   caller may not see it; UNSUPPORTED_OPERATION on a server without sign-in, whose cards declare none.
     */
    async extended(principal: Principal, agentId: string, form: CardForm): Promise<object> {
      if (principal.anonymous) throw new RollcallError('UNAUTHENTICATED', 'Sign in first: extended cards need it.');
      const agent = await registry.agent(principal, agentId);
      const at = gateway();
      if (at.auth === 'none') {
        throw new RollcallError(
          'UNSUPPORTED_OPERATION',
          'The card of this agent declares no extended card: without sign-in (AUTH_MODE=jwt) there is none.',
        );
      }
      const [[skills = []], [taskCategories = []], [usage], source] = await Promise.all([
        registry.skillsOfAgents([agent.id]),
        registry.taskCategoriesOfAgents([agent.id]),
        registry.usageOfAgents([agent.id]),
        sourceCard(agent.id),
      ]);
      const details = agentDetails(principal, agent, { taskCategories, usage, sourceCard: source });
      return extendCard(at, agent, skills as Skill[], details, form, signer);
    },
  };
}

/** Cards kept in memory. */
const MOST_SERVED = 1_000;
