import { LOCAL_SUBJECT, type Principal, SYSTEM } from '../auth/principal.ts';
import type { Registry } from './registry.ts';

/** Owned by the local user, so that whoever runs a server without tokens may change or delete it. */
const OWNER: Principal = { ...SYSTEM, subject: LOCAL_SUBJECT };

/** The bundled agent: answers what it is sent, so that there is something to try at once. */
export async function registerEchoAgent(registry: Registry): Promise<void> {
  if ((await registry.agentByHandle(OWNER, 'echo')) !== undefined) return;
  await registry.registerAgent(OWNER, {
    handle: 'echo',
    name: 'Echo',
    description: 'Answers what it is sent. Bundled with Rollcall, to try things with.',
    version: '1.0.0',
    executionType: 'echo',
    visibility: 'public',
    streaming: true,
    // Its tasks live in the memory of the process: after a crash they can only be done again.
    retrySafe: true,
    skills: [
      {
        key: 'echo',
        name: 'Echo',
        description:
          'Says back what you say. "stream:", "artifact:", "ask:", "fail:" and "slow:" at the beginning of a message show other behaviours.',
        tags: ['example', 'test'],
        examples: ['hello', 'stream: one two three', 'ask: what is your name?', 'slow: 5 seconds', 'fail: on purpose'],
      },
    ],
  });
}
