import type { Scope } from '../../../src/auth/principal.ts';

export const READ: readonly Scope[] = ['registry:read'];
export const WRITE: readonly Scope[] = ['registry:write'];
/** Of an operation that reads what was there besides. */
export const WRITE_AND_READ: readonly Scope[] = ['registry:write', 'registry:read'];
export const SEND_AND_READ: readonly Scope[] = ['tasks:send', 'tasks:read'];
export const TASKS: readonly Scope[] = ['tasks:read'];
export const SEND: readonly Scope[] = ['tasks:send'];
