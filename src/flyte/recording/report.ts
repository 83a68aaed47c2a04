import type { Artifact, JsonObject } from '../../protocol/a2a/model.ts';
import { type SparseFields, sparse } from '../../protocol/flyte/wire.ts';
import type { JobReport } from '../../tasks/tasks.ts';
import { withoutTraceback } from '../routing/calls.ts';
import type { FlyteGeneration } from '../routing/methods.ts';
import { meaningOf } from './phases.ts';
import { keptLiterals } from './start.ts';

const MOST_LINKS = 20;
const LONGEST_URI = 2_048;
const LONGEST_NAME = 256;

/** What a task's metadata say of its job. */
export const flyteOf = (metadata: JsonObject): JsonObject => (metadata['flyte'] ?? {}) as JsonObject;

const resourceOf = (response: Buffer): SparseFields | undefined => sparse(response).message(1);

/**
 * By what an answer counts as news: phase and log links. An agent may word its message anew with every question; what it
 * says is kept with the phase that it is said in.
 */
export function signatureOf(response: Buffer): string {
  const resource = resourceOf(response);
  if (resource === undefined) return '';
  const links = resource.every(4).map((link) => link.toString('base64'));
  return [resource.int32(5), resource.int32(1), ...links].join(' ');
}

/** Links that a person may follow: what an agent says is shown in browsers. */
function logLinksOf(resource: SparseFields): JsonObject[] {
  return resource
    .every(4)
    .slice(0, MOST_LINKS)
    .flatMap((bytes) => {
      const link = sparse(bytes);
      const uri = link.string(1);
      const isWeb = uri.length <= LONGEST_URI && URL.canParse(uri) && /^https?:$/.test(new URL(uri).protocol);
      return isWeb ? [{ name: link.string(2).slice(0, LONGEST_NAME), uri }] : [];
    });
}

function outputsOf(resource: SparseFields): readonly Artifact[] {
  const parts = keptLiterals(resource.bytes(2));
  return parts.length === 0 ? [] : [{ artifactId: 'outputs', name: 'outputs', parts }];
}

/** How a job stands by a GetTaskResponse; undefined when it does not say. */
export function reportOf(response: Buffer, generation: FlyteGeneration, storesIo: boolean): JobReport | undefined {
  const resource = resourceOf(response);
  const meaning = resource && meaningOf(resource.int32(5), generation === 1 ? resource.int32(1) : -1);
  if (resource === undefined || meaning === undefined) return undefined;
  const { name: phase, state } = meaning;
  const logLinks = logLinksOf(resource);
  return {
    state,
    text: withoutTraceback(resource.string(3)),
    metadata: (present) => ({ ...present, flyte: { ...flyteOf(present), phase, logLinks } }),
    statusMetadata: { flyte: { phase, logLinks } },
    ...(storesIo && generation === 1 && state === 'completed' ? { artifacts: outputsOf(resource) } : {}),
  };
}

/** A job that its deployment deleted. */
export const DELETED: JobReport = {
  state: 'canceled',
  text: '',
  metadata: (present) => present,
  statusMetadata: {},
};
