import type { FastifyReply, FastifyRequest } from 'fastify';
import { RollcallError } from '../errors.ts';
import { type HttpDialect, matchRoute, mergeParams } from '../protocol/a2a/http-json.ts';
import { parseJson } from '../protocol/a2a/jsonrpc.ts';
import { OPERATIONS } from '../protocol/a2a/methods.ts';
import { type AnswerFormat, answer, bare } from './answer.ts';
import { execute } from './execute.ts';
import { type A2aHost, failureOf, type HttpBinding, openCall } from './host.ts';
import { callOf, checkPathVersion } from './http-call.ts';

const A2A_JSON = 'application/a2a+json';

/** The path below the agent's base URL, still escaped, without a slash at its end; and the query. */
function targetOf(request: FastifyRequest): { readonly path: string; readonly query: URLSearchParams } {
  const url = request.raw.url ?? '';
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const below = path.split('/').slice(3).join('/').replace(/\/+$/, '');
  return { path: `/${below}`, query: new URLSearchParams(mark === -1 ? '' : url.slice(mark)) };
}

const dialectOf = (path: string): HttpDialect => (path === '/v1' || path.startsWith('/v1/') ? '0.3-rest' : '1.0');

/** `application/json`, unless the client uses or takes 1.0's own type. */
function typeFor({ headers }: FastifyRequest): string | undefined {
  const said = `${headers['content-type'] ?? ''},${headers.accept ?? ''}`;
  return said.toLowerCase().includes(A2A_JSON) ? A2A_JSON : undefined;
}

function paramsOf(request: FastifyRequest, pathParams: Readonly<Record<string, string>>, query: URLSearchParams) {
  const bytes = request.body as Uint8Array | undefined;
  const body = bytes === undefined || bytes.length === 0 ? undefined : parseJson(bytes);
  return mergeParams(pathParams, query, body);
}

/** @throws RollcallError METHOD_NOT_FOUND; where the path has other verbs, the answer names them. */
function routeOf({ method }: FastifyRequest, reply: FastifyReply, path: string) {
  const match = matchRoute(method, path);
  if (match !== undefined && !('allow' in match)) return match;
  if (match !== undefined) reply.header('allow', match.allow.join(', '));
  throw new RollcallError('METHOD_NOT_FOUND', `There is no operation at ${method} ${path}.`);
}

/** The HTTP+JSON binding below the agent's base URL: 1.0, and 0.3 under `/v1`. */
export function httpJsonBinding(host: A2aHost): HttpBinding {
  const formatFor = (request: FastifyRequest, dialect: HttpDialect, status = 200): AnswerFormat =>
    bare(dialect, status, typeFor(request));
  return {
    async handle(request, reply) {
      const { path, query } = targetOf(request);
      const dialect = dialectOf(path);
      try {
        const { operation, pathParams } = routeOf(request, reply, path);
        checkPathVersion(request, dialect);
        const { streaming, status } = OPERATIONS[operation];
        const signal = openCall(host, reply, streaming);
        const format = formatFor(request, dialect, status);
        return await answer(host, { request, reply, signal, format }, async () =>
          execute(host.core, request.principal!, operation, () => ({
            call: callOf(request, { dialect }, signal),
            params: paramsOf(request, pathParams, query),
          })),
        );
      } catch (thrown) {
        return formatFor(request, dialect).error(reply, failureOf(host, request, thrown));
      }
    },
    refuse: (request, reply, error) => formatFor(request, dialectOf(targetOf(request).path)).error(reply, error),
  };
}
