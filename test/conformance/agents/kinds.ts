import type { AgentKind } from './agent.ts';
import { early } from './early.ts';
import { sdk02 } from './sdk-0.2.ts';
import { sdk03 } from './sdk-0.3.ts';
import { sdk1 } from './sdk-1.ts';

/** The columns of the matrix. */
export const AGENT_KINDS: readonly AgentKind[] = [early, sdk02, ...sdk03, ...sdk1];
