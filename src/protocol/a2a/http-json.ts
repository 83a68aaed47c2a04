import { invalid } from '../../errors.ts';
import { isObject, kindOf } from './codec.ts';
import { type HttpRoute, OPERATION_NAMES, OPERATIONS } from './methods.ts';
import type { Operation } from './requests.ts';

/** The HTTP+JSON bindings of 1.0 and 0.3: routes below an agent's base URL, and params spread over path, query and body. */
export const HTTP_DIALECTS = ['1.0', '0.3-rest'] as const;
export type HttpDialect = (typeof HTTP_DIALECTS)[number];

interface CompiledRoute extends HttpRoute {
  readonly dialect: HttpDialect;
  readonly operation: Operation;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

function compile(dialect: HttpDialect, operation: Operation, route: HttpRoute): CompiledRoute {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  // An id holds no colon unless it is escaped: `/tasks/a:cancel` is an action, never a task.
  return {
    ...route,
    dialect,
    operation,
    names,
    pattern: new RegExp(`^${route.path.replace(/\{\w+\}/g, '([^/:]+)')}$`),
  };
}

const ROUTES: readonly CompiledRoute[] = OPERATION_NAMES.flatMap((operation) =>
  HTTP_DIALECTS.flatMap((dialect) =>
    OPERATIONS[operation].http[dialect].map((route) => compile(dialect, operation, route)),
  ),
);

export type RouteMatch =
  | {
      readonly dialect: HttpDialect;
      readonly operation: Operation;
      readonly pathParams: Readonly<Record<string, string>>;
    }
  /** The path exists, for other verbs. */
  | { readonly allow: readonly string[] }
  | undefined;

/**
 * What a verb and a path below the agent's base URL (with its leading slash, still escaped) mean. 1.0's paths may have the
 * tenant before them (specification 1.0 §5.3).
 */
export function matchRoute(verb: string, path: string): RouteMatch {
  const match = matchPath(verb, path);
  // `v1` begins the paths of 0.3, which knows no tenants.
  const [, tenant, below] = /^\/(?!v1\/)([^/:]+)(\/.+)$/.exec(path) ?? [];
  if (match !== undefined || tenant === undefined || below === undefined) return match;
  const inTenant = matchPath(verb, below);
  if (inTenant === undefined || 'allow' in inTenant) return inTenant;
  if (inTenant.dialect !== '1.0') return undefined;
  return { ...inTenant, pathParams: { ...inTenant.pathParams, tenant: unescaped('tenant', tenant) } };
}

function unescaped(name: string, raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalid(name, 'is not correctly escaped in the path.');
  }
}

function matchPath(verb: string, path: string): RouteMatch {
  const allow = new Set<string>();
  for (const route of ROUTES) {
    const found = route.pattern.exec(path);
    if (!found) continue;
    if (route.verb !== verb) {
      allow.add(route.verb);
      continue;
    }
    const pathParams: Record<string, string> = {};
    for (const [i, name] of route.names.entries()) pathParams[name] = unescaped(name, found[i + 1] as string);
    return { dialect: route.dialect, operation: route.operation, pathParams };
  }
  return allow.size > 0 ? { allow: [...allow] } : undefined;
}

/**
 * The params of a request, as the readers of the dialects take them. Path parameters win over the body, which may
 * repeat them, and the body over the query; a repeated query parameter counts with its last value.
 * @throws RollcallError INVALID_INPUT when the body is no object
 */
export function mergeParams(
  pathParams: Readonly<Record<string, string>>,
  query: Iterable<readonly [string, string]>,
  body: unknown,
): Record<string, unknown> {
  if (body !== undefined && body !== null && !isObject(body)) {
    throw invalid('body', `must be an object, not ${kindOf(body)}.`);
  }
  // The version may be a query parameter (specification 1.0 §3.6.1), and is no part of any request.
  const fromQuery = [...query].filter(([name]) => name !== 'A2A-Version');
  return { ...Object.fromEntries(fromQuery), ...body, ...pathParams };
}

export interface HttpCall {
  readonly verb: HttpRoute['verb'];
  /** Path and query, to append to an interface's URL. */
  readonly path: string;
  /** JSON body; absent for GET and DELETE. */
  readonly body?: unknown;
}

/** A client's call: written params (from `Dialect.writeRequest`) spread over path, query and body. */
export function toHttpCall(dialect: HttpDialect, operation: Operation, params: unknown): HttpCall | undefined {
  const [route] = OPERATIONS[operation].http[dialect];
  if (route === undefined) return undefined;
  const rest: Record<string, unknown> = { ...(isObject(params) ? params : {}) };
  const tenant = typeof rest.tenant === 'string' && rest.tenant !== '' ? `/${encodeURIComponent(rest.tenant)}` : '';
  delete rest.tenant;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(typeof value === 'string' ? value : '');
  });
  if (route.verb === 'POST') return { verb: route.verb, path: `${tenant}${path}`, body: rest };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    if (['string', 'number', 'boolean'].includes(typeof value)) query.set(name, String(value));
  }
  return { verb: route.verb, path: `${tenant}${path}${query.size > 0 ? `?${query}` : ''}` };
}
