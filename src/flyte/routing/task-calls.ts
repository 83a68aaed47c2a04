import type { LocalAgents } from '../agents/local-agents.ts';
import type { CallContext } from './calls.ts';
import type { JobOperation } from './methods.ts';
import type { FlyteRouter } from './router.ts';

/** The calls that make a job and tell how it stands: bytes in and bytes out. */
export interface TaskCalls {
  createTask(request: Buffer, context: CallContext): Promise<Buffer>;
  getTask(request: Buffer, context: CallContext): Promise<Buffer>;
  deleteTask(request: Buffer, context: CallContext): Promise<Buffer>;
}

/** Calls go to the agents of this process when the task is theirs, else to the router. */
export function ownerCalls(router: FlyteRouter, local: LocalAgents | undefined): TaskCalls {
  const ownerOf = (operation: JobOperation, request: Buffer): TaskCalls =>
    local?.ownsJob(operation, request) ? local : router;
  return {
    createTask: async (request, context) => (local?.ownsNew(request) ? local : router).createTask(request, context),
    getTask: async (request, context) => ownerOf('getTask', request).getTask(request, context),
    deleteTask: async (request, context) => ownerOf('deleteTask', request).deleteTask(request, context),
  };
}
