import type { FastifyRequest } from 'fastify';
import { isUuid } from '../database/ids.ts';
import { RollcallError } from '../errors.ts';
import type { DialectName } from '../protocol/a2a/dialects/index.ts';
import { EXTENSIONS_HEADER, extensionsIn } from '../protocol/a2a/extensions.ts';
import { dialectOfVersion } from '../protocol/a2a/methods.ts';
import type { Call } from './call.ts';

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

/** `A2A-Version`, from the header or else from the query parameter of the same name (specification 1.0 §3.6.1). */
export function versionOf(request: FastifyRequest): string | undefined {
  const asked = headerOf(request, 'a2a-version') ?? (request.query as Record<string, unknown>)['A2A-Version'];
  return typeof asked === 'string' ? asked : undefined;
}

/**
 * The path decides the version; a request that says another one is refused rather than misunderstood.
 *
 * @throws RollcallError VERSION_NOT_SUPPORTED
 */
export function checkPathVersion(request: FastifyRequest, dialect: DialectName): void {
  const version = versionOf(request);
  const asked = dialectOfVersion(version);
  if (asked === undefined || dialect.startsWith(asked)) return;
  const era = dialect === 'early' ? '0.1' : dialect.slice(0, 3);
  throw new RollcallError(
    'VERSION_NOT_SUPPORTED',
    `This path belongs to A2A ${era}, but the request says A2A-Version ${version}: make them agree.`,
  );
}

/** The extensions that a caller names, under either name of the header. */
const extensionsOf = (request: FastifyRequest): string[] =>
  extensionsIn(...Object.values(EXTENSIONS_HEADER).map((name) => headerOf(request, name)));

/**
 * What the headers and the address of a request say about a call.
 *
 * @throws RollcallError NOT_FOUND where the address names no agent.
 */
export function callOf(
  request: FastifyRequest,
  { dialect, ambiguous = false }: { readonly dialect: DialectName; readonly ambiguous?: boolean },
  signal: AbortSignal,
): Call {
  const { agentId } = request.params as { readonly agentId: string };
  if (!isUuid(agentId)) {
    throw new RollcallError('NOT_FOUND', `There is no agent ${JSON.stringify(agentId)} that you may see.`);
  }
  return {
    principal: request.principal!,
    agentId: agentId.toLowerCase(),
    dialect,
    ambiguous,
    extensions: extensionsOf(request),
    idempotencyKey: headerOf(request, 'idempotency-key'),
    lastEventId: headerOf(request, 'last-event-id'),
    signal,
  };
}
