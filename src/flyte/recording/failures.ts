import { type ServiceError, status } from '@grpc/grpc-js';
import { RollcallError, toRollcallError } from '../../errors.ts';
import { codeOf, withoutTraceback } from '../routing/calls.ts';

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Whether the caller gave up. */
export const isCancelled = (error: unknown): boolean => codeOf(error) === status.CANCELLED || isAbort(error);

/** What a call that failed leaves in its task. */
export function failureOf(error: unknown): { readonly code: string; readonly text: string } {
  if (isAbort(error)) {
    const text = 'The caller gave up before the job was created; whether it was is not known.';
    return { code: 'OUTCOME_UNKNOWN', text };
  }
  const { details } = error as Partial<ServiceError>;
  if (!(error instanceof RollcallError) && typeof details === 'string') {
    return { code: 'UPSTREAM_INVALID', text: withoutTraceback(details) };
  }
  const { code, message: text } = toRollcallError(error);
  return { code, text };
}
