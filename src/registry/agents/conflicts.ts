import { RollcallError } from '../../errors.ts';

/** Unique index → the field that the caller gave and what is taken. */
const CONFLICTS: Readonly<Record<string, { field: string; of: (input: Record<string, unknown>) => string }>> = {
  agent_handle_key: {
    field: 'input.handle',
    of: (i) => `the handle ${JSON.stringify(i['handle'])} is taken by another agent`,
  },
  agent_flyte_name_key: {
    field: 'input.flyteName',
    of: (i) => `the Flyte name ${JSON.stringify(i['flyteName'])} is taken by another agent`,
  },
  provider_identity_key: { field: 'input.name', of: () => 'there is a provider of this name and url already' },
  skill_agent_key_key: {
    field: 'input.key',
    of: (i) => `the agent has a skill with the key ${JSON.stringify(i['key'])} already`,
  },
  flyte_deployment_endpoint_key: {
    field: 'input.endpoint',
    of: () => 'the agent has a deployment of this generation at this endpoint already',
  },
  task_category_pkey: {
    field: 'input.taskCategories',
    of: () => 'one of the task categories was taken by another agent at the same moment',
  },
};

interface DriverError {
  readonly constraint?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly previous?: unknown;
}

/** PostgreSQL's unique_violation. */
const UNIQUE_VIOLATION = '23505';

/** The unique index that an error names, however deep the driver's own error lies. */
function constraintOf(error: unknown): string | undefined {
  let e = error as DriverError | undefined;
  for (let depth = 0; e !== undefined && e !== null && depth < 5; depth++) {
    if (typeof e.constraint === 'string' && e.code === UNIQUE_VIOLATION) return e.constraint;
    e = (e.cause ?? e.previous) as DriverError | undefined;
  }
  return undefined;
}

/** True when some unique index refused, whichever. */
export const isUniqueViolation = (error: unknown): boolean => constraintOf(error) !== undefined;

/** Runs `work`; a unique index that refuses becomes ALREADY_EXISTS, naming the field. */
export async function conflictsAs<T>(input: object, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const conflict = CONFLICTS[constraintOf(error) ?? ''];
    if (conflict === undefined) throw error;
    throw new RollcallError('ALREADY_EXISTS', `${conflict.field}: ${conflict.of(input as Record<string, unknown>)}`, {
      field: conflict.field,
      cause: error,
    });
  }
}
