/** resource_meta as Flyte holds it: which deployment made the job, and the deployment's own bytes. */
export interface PinnedMeta {
  readonly deploymentId: string;
  readonly meta: Buffer;
}

/** No UTF-8 text begins with 0xF5, so no JSON or id that an agent might use is taken for ours. The last byte is the form's version. */
const MARK = Buffer.from([0xf5, 0x52, 0x43, 0x01]);

/** @param deploymentId at most 255 bytes in UTF-8 */
export function pinMeta({ deploymentId, meta }: PinnedMeta): Buffer {
  const id = Buffer.from(deploymentId, 'utf8');
  if (id.length > 255) throw new RangeError('A deployment id has at most 255 bytes.');
  return Buffer.concat([MARK, Buffer.from([id.length]), id, meta]);
}

/** The pin; undefined for bytes that we did not make: jobs created before Rollcall stood in front of the deployment. */
export function unpinMeta(bytes: Buffer): PinnedMeta | undefined {
  if (bytes.length <= MARK.length || !bytes.subarray(0, MARK.length).equals(MARK)) return undefined;
  const begin = MARK.length + 1;
  const end = begin + (bytes[MARK.length] ?? 0);
  if (end > bytes.length) return undefined;
  return { deploymentId: bytes.toString('utf8', begin, end), meta: bytes.subarray(end) };
}
