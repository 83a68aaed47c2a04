import { RollcallError } from '../../../errors.ts';

/** By which a job is found again. Field and form are those of flytekit's agent: its jobs can be taken over. */
export type MMCloudMetadata = { readonly job_id: string };

const JOB_ID = /^[\w-]{1,128}$/;

const wrong = (): RollcallError =>
  new RollcallError('INVALID_INPUT', 'resource_meta: is not what CreateTask gave.', { field: 'resource_meta' });

export const MMCloudMetadata = {
  /** UTF-8 JSON. */
  encode: ({ job_id }: MMCloudMetadata): Buffer => Buffer.from(JSON.stringify({ job_id }), 'utf8'),

  /** @throws RollcallError INVALID_INPUT */
  decode(data: Uint8Array): MMCloudMetadata {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(data).toString('utf8'));
    } catch {
      throw wrong();
    }
    return MMCloudMetadata.parse(value);
  },

  /** @throws RollcallError INVALID_INPUT */
  parse(value: unknown): MMCloudMetadata {
    const id = typeof value === 'object' && value !== null && 'job_id' in value ? value.job_id : undefined;
    if (typeof id !== 'string' || !JOB_ID.test(id)) throw wrong();
    return { job_id: id };
  },
};
