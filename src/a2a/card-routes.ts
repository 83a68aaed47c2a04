import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../auth/authenticator.ts';
import { isUuid } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import { authenticate } from '../http/server.ts';
import type { CardForm } from '../protocol/a2a/card/index.ts';
import type { Cards } from '../registry/cards/cards.ts';

/** What the card routes stand on. */
export interface CardRouteOptions {
  readonly cards: Cards;
  readonly authenticator: Authenticator;
}

/** How long a client may use a card without asking again. */
const MAX_AGE_SECONDS = 60;

/** The form of `agent-card.json`: pure 1.0 for a client that asks for 1.0, else one that 0.3 and 1.0 clients both read. */
function formOf(request: FastifyRequest): CardForm {
  const asked = request.headers['a2a-version'] ?? (request.query as Record<string, unknown>)['A2A-Version'];
  return typeof asked === 'string' && /^1(\.\d+)*$/.test(asked.trim()) ? 'v1' : 'hybrid';
}

/**
 * The derived card of each agent: `agent-card.json` (0.3 and later) and `agent.json` (early and 0.2), below
 * `/agents/{agentId}/` and below `/a2a/{agentId}/`, as clients resolve the path against either base. Caching by
 * A2A 1.0 §8.6: strong ETag per form, Last-Modified, 304; shared caches only for agents that anyone may see.
 */
export function addCardRoutes(app: FastifyInstance, { cards, authenticator }: CardRouteOptions): void {
  const serve =
    (form: (request: FastifyRequest) => CardForm) => async (request: FastifyRequest, reply: FastifyReply) => {
      const { agentId } = request.params as { agentId: string };
      if (!isUuid(agentId)) throw new RollcallError('NOT_FOUND', 'There is no such agent that you may see.');
      const card = await cards.derived(request.principal!, agentId, form(request));
      reply.header('etag', card.etag);
      reply.header('last-modified', card.lastModified.toUTCString());
      reply.header('cache-control', `${card.cacheable ? 'public' : 'private'}, max-age=${MAX_AGE_SECONDS}`);
      reply.header('vary', 'A2A-Version, Authorization');
      if (isUnchanged(request, card.etag, card.lastModified)) return reply.code(304).send();
      return reply.header('content-type', 'application/json; charset=utf-8').send(card.json);
    };
  const preHandler = authenticate(authenticator);
  for (const base of ['/agents/:agentId', '/a2a/:agentId']) {
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
