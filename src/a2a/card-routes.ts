import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isUuid } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import { admitted, type Gate } from '../http/gate.ts';
import type { CardForm } from '../protocol/a2a/card/index.ts';
import type { Cards } from '../registry/cards/cards.ts';

/** What the card routes stand on. */
export interface CardRouteOptions {
  readonly cards: Cards;
  readonly gate: Gate;
}

/** How long a client may use a card without asking again. */
const MAX_AGE_SECONDS = 60;

/** The form of `agent-card.json`: pure 1.0 for a client that asks for 1.0, else one that 0.3 and 1.0 clients both read. */
function formOf(request: FastifyRequest): CardForm {
  const asked = request.headers['a2a-version'] ?? (request.query as Record<string, unknown>)['A2A-Version'];
  return typeof asked === 'string' && /^1(\.\d+)*$/.test(asked.trim()) ? 'v1' : 'hybrid';
}

/** @throws RollcallError NOT_FOUND where the address names no agent. */
function agentOf(request: FastifyRequest): string {
  const { agentId } = request.params as { agentId: string };
  if (!isUuid(agentId)) throw new RollcallError('NOT_FOUND', 'There is no such agent that you may see.');
  return agentId;
}

/** Beside what the answer varies by already: with CORS, by Origin. */
function vary(reply: FastifyReply, names: string): void {
  const before = reply.getHeader('vary');
  reply.header('vary', before === undefined ? names : `${String(before)}, ${names}`);
}

/**
 * The derived card of each agent: `agent-card.json` (0.3 and later) and `agent.json` (early and 0.2), below
 * `/agents/{agentId}/` and below `/a2a/{agentId}/`, as clients resolve the path against either base. Caching by
 * A2A 1.0 §8.6: strong ETag per form, Last-Modified, 304; shared caches only for agents that anyone may see.
 */
export function addCardRoutes(app: FastifyInstance, { cards, gate }: CardRouteOptions): void {
  const serve =
    (form: (request: FastifyRequest) => CardForm) => async (request: FastifyRequest, reply: FastifyReply) => {
      const card = await cards.derived(request.principal!, agentOf(request), form(request));
      reply.header('etag', card.etag);
      reply.header('last-modified', card.lastModified.toUTCString());
      reply.header('cache-control', `${card.cacheable ? 'public' : 'private'}, max-age=${MAX_AGE_SECONDS}`);
      vary(reply, 'A2A-Version, Authorization');
      if (isUnchanged(request, card.etag, card.lastModified)) return reply.code(304).send();
      return reply.header('content-type', 'application/json; charset=utf-8').send(card.json);
    };
  // A2A 0.2.5 and 0.2.6 ask for it below the agent's base URL, before there was an operation for it.
  const extended = async (request: FastifyRequest, reply: FastifyReply) => {
    vary(reply, 'Authorization');
    const card = await cards.extended(request.principal!, agentOf(request), 'hybrid');
    reply.header('cache-control', 'private, no-store');
    return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(card));
  };
  const preHandler = admitted(gate);
  for (const base of ['/agents/:agentId', '/a2a/:agentId']) {
    app.get(`${base}/agent/authenticatedExtendedCard`, { preHandler }, extended);
    app.get(`${base}/.well-known/agent-card.json`, { preHandler }, serve(formOf));
    app.get(
      `${base}/.well-known/agent.json`,
      { preHandler },
      serve(() => 'legacy'),
    );
  }
}

/** RFC 9110 §13.2.2: If-None-Match decides; If-Modified-Since only without it. */
function isUnchanged(request: FastifyRequest, etag: string, lastModified: Date): boolean {
  const known = request.headers['if-none-match'];
  if (known !== undefined)
    return known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && Math.floor(lastModified.getTime() / 1000) * 1000 <= since;
}
