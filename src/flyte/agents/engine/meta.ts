import { isUuid } from '../../../database/ids.ts';
import { RollcallError } from '../../../errors.ts';
import { isShape } from '../../../protocol/flyte/typed-literals.ts';
import type { DeclaredOutputs } from './results.ts';

/** By which Flyte finds a task of ours again, and what it wants of it. */
export type EngineMeta = { readonly rollcall_task: string; readonly outputs: DeclaredOutputs };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MARK = Buffer.from('{"rollcall_task":');

/** Whether resource_meta is of a task of ours: such a job stays ours when its agent gets a deployment later. */
export const isEngineMeta = (resourceMeta: Buffer): boolean => resourceMeta.subarray(0, MARK.length).equals(MARK);

/** @throws RollcallError INVALID_INPUT */
export function parseEngineMeta(value: unknown): EngineMeta {
  if (isObject(value) && typeof value['rollcall_task'] === 'string' && isUuid(value['rollcall_task'])) {
    const { rollcall_task, outputs } = value;
    if (isObject(outputs) && Object.values(outputs).every((shape) => isShape(shape))) {
      return { rollcall_task, outputs: outputs as DeclaredOutputs };
    }
  }
  throw new RollcallError('INVALID_INPUT', 'resource_meta: is not what CreateTask gave.', { field: 'resource_meta' });
}
