import { z } from 'zod';
import { RollcallError } from '../../errors.ts';
import { LIMITS } from '../input/limits.ts';
import { FLYTE_GENERATIONS, FLYTE_OPERATIONS, type FlyteOperation } from '../words.ts';
import { parseEndpoint } from './endpoint.ts';

/** Milliseconds. */
const LONGEST_TIMEOUT = 3_600_000;

const endpoint = z
  .string()
  .max(LIMITS.url)
  .transform((text, context) => {
    try {
      return parseEndpoint(text, '');
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      context.addIssue({ code: 'custom', message: error.message.replace(/^: /, '') });
      return z.NEVER;
    }
  });

const timeout = z.int().min(1).max(LONGEST_TIMEOUT).optional();
const timeouts = z.strictObject(
  Object.fromEntries(FLYTE_OPERATIONS.map((operation) => [operation, timeout])) as Record<
    FlyteOperation,
    typeof timeout
  >,
);

const fields = {
  endpoint,
  tls: z.boolean(),
  weight: z.int().min(0).max(1_000),
  draining: z.boolean(),
  timeouts,
};
const generation = z.literal(FLYTE_GENERATIONS, 'must be 1 (flyteidl) or 2 (flyteidl2)');

/** A new deployment. */
export const deploymentSchema = z.strictObject({
  ...fields,
  tls: fields.tls.default(true),
  generation: generation.default(1),
  weight: fields.weight.default(1),
  draining: fields.draining.default(false),
  timeouts: fields.timeouts.default({}),
});

/** A change of a deployment: what is absent stays; timeouts are replaced as a whole. Its jobs bind it to its generation. */
export const deploymentPatchSchema = z.strictObject(fields).partial();

export type DeploymentInput = z.input<typeof deploymentSchema>;
export type DeploymentPatch = z.input<typeof deploymentPatchSchema>;
export type CheckedDeployment = z.output<typeof deploymentSchema>;
