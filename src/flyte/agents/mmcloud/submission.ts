import { createHash } from 'node:crypto';
import { invalid } from '../../../errors.ts';
import { checkExtra } from '../../../protocol/mmcloud/argv.ts';
import type { Submission } from '../../../protocol/mmcloud/op-center.ts';
import { rangeOf } from '../../../protocol/mmcloud/resources.ts';
import { splitWords } from '../../../protocol/mmcloud/shell-words.ts';
import type { AgentTask } from '../agent.ts';

const MAX_TAG = 40;

/** Tags hold letters, digits and dashes; the key of an attempt holds anything. */
const tagOf = (executionKey: string): string =>
  createHash('sha256').update(executionKey, 'utf8').digest('hex').slice(0, MAX_TAG);

/**
 * The job that a task asks for. Its resources are those of `custom.resources`, which flytekit fills: propeller limits the
 * container's own to what its cluster allows, and that says nothing about MMCloud.
 *
 * @throws RollcallError INVALID_INPUT
 */
export function submissionOf({ template, executionKey }: AgentTask): Submission {
  const { custom = {}, target } = template;
  if (target?.$case !== 'container') throw invalid('template.container', 'is missing: MMCloud runs containers.');
  const { image, env, args } = target.value;
  if (image === '') throw invalid('template.container.image', 'is empty.');
  const resources: unknown = custom['resources'] ?? [];
  if (!Array.isArray(resources)) {
    throw invalid('template.custom.resources', 'must be a list: min_cpu, min_mem, max_cpu, max_mem.');
  }
  const [minCpu, minMem, maxCpu, maxMem] = resources as unknown[];
  const extra: unknown = custom['submit_extra'] ?? '';
  const extraField = 'template.custom.submit_extra';
  if (typeof extra !== 'string') throw invalid(extraField, 'must be a text.');
  const submission: Submission = {
    cpu: rangeOf('cpu', minCpu, maxCpu, 'template.custom.resources'),
    mem: rangeOf('mem', minMem, maxMem, 'template.custom.resources'),
    image,
    env: env.map(({ key, value }) => ({ key, value })),
    args,
    extra: checkExtra(splitWords(extra, extraField), extraField),
    tag: executionKey === undefined ? undefined : tagOf(executionKey),
  };
  const texts = [image, extra, ...args, ...env.flatMap(({ key, value }) => [key, value])];
  if (texts.some((text) => text.includes('\u0000'))) throw invalid('template', 'contains a NUL character.');
  return submission;
}
