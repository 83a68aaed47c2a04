/** What a caller may do. `registry:*` covers agents, skills and providers; `tasks:*` the work they do. */
export const SCOPES = ['registry:read', 'registry:write', 'tasks:send', 'tasks:read', 'tasks:admin', 'admin'] as const;

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** By which door a call came in. */
export type Door = 'a2a' | 'cards' | 'graphql' | 'grpc' | 'http' | 'metrics' | 'subgraph' | 'websocket';

/** A refusal of something that a caller may not do, or has done too often. */
export interface Denial {
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'RATE_LIMITED';
  /** What was refused: the scope that lacks, `change`, `authenticate`, or the limit that is reached. */
  readonly operation: string;
  readonly targetType?: string | undefined;
  readonly targetId?: string | undefined;
}

/** Where a call comes from: the door that it came in by sets it. */
export interface Origin {
  /** IP address, as far as TRUST_PROXY lets it be known. */
  readonly address: string;
  readonly userAgent?: string | undefined;
  readonly requestId: string;
  readonly door: Door;
  /** Is told what the core refuses. */
  readonly denied?: ((principal: Principal, denial: Denial) => void) | undefined;
}

/** Who is calling. Every core call takes one first. */
export interface Principal {
  /** The caller's UUID: owner of what they create. For an anonymous caller the nil UUID, which owns nothing. */
  readonly subject: string;
  /** True when nobody signed in: sees public agents only, and changes nothing. */
  readonly anonymous: boolean;
  readonly scopes: ReadonlySet<Scope>;
  /** Every scope of the token, also those that mean something to other teams' subgraphs only. */
  readonly granted?: ReadonlySet<string>;
  /** Holds every scope there is, also those of other teams: the user of a server without tokens. */
  readonly everyScope?: true;
  /** When the token is not accepted any more: milliseconds since 1970. Streams and sockets end then. */
  readonly expiresAt?: number;
  /** Absent for what Rollcall does by itself. */
  readonly origin?: Origin;
}

/** The subject of anonymous callers: RFC 9562 §5.9. */
export const NIL_SUBJECT = '00000000-0000-0000-0000-000000000000';

/** The one user of an `AUTH_MODE=none` server. Fixed, so that what they own stays theirs after a restart. */
export const LOCAL_SUBJECT = '00000000-0000-4000-8000-000000000001';

/** Nobody in particular. */
export const ANONYMOUS: Principal = { subject: NIL_SUBJECT, anonymous: true, scopes: new Set(['registry:read']) };

/** The local user of `AUTH_MODE=none`: every scope. */
export const LOCAL_USER: Principal = {
  subject: LOCAL_SUBJECT,
  anonymous: false,
  scopes: new Set(SCOPES),
  everyScope: true,
};

/** Rollcall itself, for what it does without a caller: first start, recovery, refresh jobs. Every scope. */
export const SYSTEM: Principal = {
  subject: '00000000-0000-4000-8000-000000000002',
  anonymous: false,
  scopes: new Set(SCOPES),
};

/** Whether the principal holds a scope that another team asks for; the local user holds any. `admin` is ours, and no other. */
export const holdsForeign = (principal: Principal, scope: string): boolean =>
  principal.everyScope === true || principal.granted?.has(scope) === true;

/** True when the principal holds the scope, or `admin`, which includes every other. */
export const allows = (principal: Principal, scope: Scope): boolean =>
  principal.scopes.has(scope) || principal.scopes.has('admin');
