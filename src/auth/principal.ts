/** What a caller may do. `registry:*` covers agents, skills and providers; `tasks:*` the work they do. */
export const SCOPES = ['registry:read', 'registry:write', 'tasks:send', 'tasks:read', 'tasks:admin', 'admin'] as const;

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** Who is calling. Every core call takes one first. */
export interface Principal {
  /** The caller's UUID: owner of what they create. For an anonymous caller the nil UUID, which owns nothing. */
  readonly subject: string;
  /** True when nobody signed in: sees public agents only, and changes nothing. */
  readonly anonymous: boolean;
  readonly scopes: ReadonlySet<Scope>;
}

/** The subject of anonymous callers: RFC 9562 §5.9. */
export const NIL_SUBJECT = '00000000-0000-0000-0000-000000000000';

/** The one user of an `AUTH_MODE=none` server. Fixed, so that what they own stays theirs after a restart. */
export const LOCAL_SUBJECT = '00000000-0000-4000-8000-000000000001';

/** Nobody in particular. */
export const ANONYMOUS: Principal = { subject: NIL_SUBJECT, anonymous: true, scopes: new Set(['registry:read']) };

/** The local user of `AUTH_MODE=none`: every scope. */
export const LOCAL_USER: Principal = { subject: LOCAL_SUBJECT, anonymous: false, scopes: new Set(SCOPES) };

/** Rollcall itself, for what it does without a caller: first start, recovery, refresh jobs. Every scope. */
export const SYSTEM: Principal = {
  subject: '00000000-0000-4000-8000-000000000002',
  anonymous: false,
  scopes: new Set(SCOPES),
};

/** True when the principal holds the scope, or `admin`, which includes every other. */
export const allows = (principal: Principal, scope: Scope): boolean =>
  principal.scopes.has(scope) || principal.scopes.has('admin');
